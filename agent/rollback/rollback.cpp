#include "rollback/rollback.hpp"

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "checks/product_logs.hpp"
#include "packages/packages.hpp"
#include "rollback/expiry.hpp"
#include "rollback/proof.hpp"
#include "upgrade/reboot.hpp"
#include "upgrade/snapshot.hpp"
#include "upgrade/units.hpp"

#include <algorithm>
#include <utility>

namespace um {
namespace {

std::string retry_by_hand() {
    return fmt::format("fix it, then continue with 'um-upgrade rollback --why TEXT'; or {}",
                       revert_to_snapshot);
}

/// The condition of um-upgrade-rollback.service. While this file exists, the next boot rolls the upgrade
/// back.
std::string due_flag(const Job& job) {
    return job.store.directory() + "/rollback-due";
}

/// um-upgrade-rollback.service counts its boots in this file, even if this program cannot run.
std::string boots_of_unit(const Job& job) {
    return job.store.directory() + "/rollback-boots";
}

/// The failed change may have broken D-Bus. That does not stop a rollback, because the units were enabled
/// when um-upgrade was installed and start in the next boot without D-Bus. Throws Failure if the unit that
/// rolls back cannot run. If the unit that proves the rollback cannot run, that is a warning.
void ensure_units(Job& job) {
    try {
        ensure_rollback_unit(job, Reason::rollback_failed);
        try {
            ensure_verification(job);
        } catch (const Failure& failure) {
            job.audit.finding(EventKind::warning, job.state, warning(failure.problem()));
        }
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state,
                         fmt::format("{}, ignoring: the next boot starts what is enabled", failure.what()));
    }
}

void ask_for_boot(Job& job) {
    job.state.reboot_is_left = job.config.reboot.policy == RebootPolicy::manual;
    request_reboot(job, job.state.rollback == RollbackStep::taken
                            ? "the old system is back, and will be proved in the next boot"
                            : "the upgrade will be rolled back in the next boot");
}

/// The ending of a rollback that failed, with the problem on record.
Ending failed_rollback(Job& job) {
    const auto problem = job.state.problem_of(Reason::rollback_failed);
    job.audit.finding(EventKind::stage_failed, job.state, refusal(problem));
    job.audit.event(EventKind::rollback_finished, job.state,
                    {.message = "the upgrade could not be rolled back",
                     .outcome = Outcome::needs_manual,
                     .reason = Reason::rollback_failed});
    return {Outcome::needs_manual, detail_of(problem), ExitCode::needs_manual};
}

/// The record keeps the upgrade's own reason until it is closed.
void record_failed_rollback(Job& job, const std::string& message, const std::string& hint) {
    job.state.rollback = RollbackStep::failed;
    job.state.message = message;
    job.state.hint = hint;
    job.state.boot_id = job.ports.appliance.boot_id();
    job.store.save(job.state);
}

/// Every file that a package owns now, including the new ones. If rpm fails, the walk through the trees
/// and the media's list must be enough.
std::vector<std::string> owned_files(Job& job) {
    // After the old rpm database is back, it no longer lists the new files.
    if (auto known = read_note(job, owned_note); !known.empty())
        return known;
    std::vector<std::string> paths;
    try {
        paths = lines_of(query_installed(job.ports.appliance, "[%{FILENAMES}\n]"));
        std::erase_if(paths, [](const std::string& path) { return !path.starts_with('/'); });
        write_note(job, owned_note, paths);
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state,
                         fmt::format("{}, ignoring: what the media brought is known", failure.what()));
    }
    return paths;
}

/// What the new version wrote into the logs is no sign of trouble in the old one.
void forget_logs(Job& job) {
    try {
        mark_logs(job.ports.appliance, job.config, log_marks(job));
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state, fmt::format("{}, ignoring: the logs are searched from where they were",
                                                failure.what()));
    }
}

/// um-upgrade-rollback.service should have rolled back in this boot, before anything else ran.
std::optional<Ending> schedule_rollback_again(Job& job) {
    if (job.state.tries >= rollback_limit) {
        record_failed_rollback(
            job,
            fmt::format("{} has not rolled the upgrade back in {} boots", rollback_unit, job.state.tries),
            fmt::format("look at 'systemctl status {}', fix it, then run 'um-upgrade rollback --why TEXT'",
                        rollback_unit));
        return failed_rollback(job);
    }
    ++job.state.tries;
    job.store.save(job.state);
    try {
        schedule_rollback(job, job.state.rollback_why);
        return std::nullopt;
    } catch (const Failure& failure) {
        record_failed_rollback(job, failure.what(), failure.hint());
        return failed_rollback(job);
    }
}

} // namespace

bool may_roll_back(const Job& job) {
    return job.config.rollback.mode == RollbackMode::automatic && job.state.has_kept_files &&
           !job.state.rolling_back() && job.state.change != Change::none;
}

bool try_rollback(Job& job, const Problem& problem) {
    if (!may_roll_back(job))
        return false;
    job.mounted.reset();
    job.state.set_problem(problem);
    try {
        schedule_rollback(job, problem.message);
        return true;
    } catch (const Failure& failure) {
        job.state.rollback = RollbackStep::none;
        job.audit.finding(EventKind::warning, job.state, warning(failure.problem()));
        return false;
    }
}

void schedule_rollback(Job& job, const std::string& why) {
    job.ports.keeper.make_room(job.state.id);
    ensure_units(job);
    const bool first = job.state.rollback != RollbackStep::due;
    if (first) {
        job.state.tries = 0;
        remove_file_durably(boots_of_unit(job));
    }
    job.state.rollback = RollbackStep::due;
    job.state.rollback_why = why;
    job.state.reboot_is_left = false; // the reboot after the change may have been left
    job.state.boot_id = job.ports.appliance.boot_id();
    if (first)
        job.audit.event(
            EventKind::rollback_started, job.state,
            {.message = fmt::format("taking the upgrade back to {}: {}", job.state.from_version, why),
             .reason = job.state.reason});
    job.ports.appliance.flush_journal(); // the journal must have what the record has
    job.store.save(job.state);
    replace_file(due_flag(job), "um-upgrade-rollback.service takes the upgrade back in the next boot\n");
    ask_for_boot(job);
}

namespace {

/// Nothing else runs in this boot, so the journal shows here what was put back.
void tell_result(Job& job, const RollbackResult& result, std::chrono::microseconds took) {
    job.audit.note(job.state,
                   fmt::format("the old system is back: {} put back, {} set aside, {} differences ({:.1f} s)",
                               result.put_back, result.set_aside, result.differences.size(),
                               std::chrono::duration<double>(took).count()),
                   took);
}

/// Puts the old system back and records the result. It may be cut off and called again.
ExitCode put_old_system_back(Job& job) {
    if (job.state.tries >= rollback_limit) {
        record_failed_rollback(
            job,
            fmt::format("the rollback was interrupted {} times; some files may be the old ones, some the "
                        "new ones",
                        job.state.tries),
            retry_by_hand());
        return ExitCode::needs_manual;
    }
    ++job.state.tries;
    job.store.save(job.state);
    job.audit.note(job.state, fmt::format("putting the old system back, attempt {}", job.state.tries));
    job.audit.progress("rollback: putting the old system back");
    const auto begin = job.ports.appliance.uptime();
    try {
        const auto result = job.ports.keeper.roll_back(job.state.id, owned_files(job));
        write_note(job, files_note, result.differences);
        forget_logs(job);
        tell_result(job, result, job.ports.appliance.uptime() - begin);
        job.state.rollback = RollbackStep::taken;
        job.state.tries = 0;
        job.state.boot_id = job.ports.appliance.boot_id();
        job.store.save(job.state);
        return ExitCode::done;
    } catch (const Failure& failure) {
        record_failed_rollback(job, failure.what(),
                               failure.hint().empty() ? revert_to_snapshot : failure.hint());
    } catch (const SystemFailure& failure) {
        record_failed_rollback(job,
                               fmt::format("the old system could not be put back as a whole, some files may "
                                           "be the old ones, some the new ones: {}",
                                           failure.what()),
                               retry_by_hand());
    }
    return ExitCode::needs_manual;
}

/// The old system is proved in the boot that this requests.
void request_next_boot(Job& job) {
    try {
        job.ports.appliance.flush_journal();
        job.ports.services.reboot();
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state, fmt::format("{}, ignoring: {} asks again", failure.what(), verify_unit));
    }
}

} // namespace

ExitCode roll_back(Job& job) {
    auto state = job.store.load();
    if (!state || state->rollback != RollbackStep::due) { // an earlier call was cut off after it was done
        call_off_rollback(job);
        return ExitCode::done;
    }
    job.state = std::move(*state);
    job.ports.keeper.make_room(job.state.id);
    const auto code = put_old_system_back(job);
    job.ports.appliance.sync();
    call_off_rollback(job);
    remove_file_durably(boots_of_unit(job));
    if (code == ExitCode::done)
        request_next_boot(job);
    return code;
}

void call_off_rollback(Job& job) {
    remove_file_durably(due_flag(job));
}

std::optional<Ending> resume_rollback(Job& job) {
    job.announced = true;
    const bool booted = job.state.boot_id != job.ports.appliance.boot_id();
    if (job.state.rollback == RollbackStep::failed)
        return failed_rollback(job);
    if (booted && job.state.rollback == RollbackStep::due)
        return schedule_rollback_again(job);
    if (booted)
        return prove_rollback(job);
    ask_for_boot(job); // does nothing if it is due already
    return std::nullopt;
}

namespace {

std::optional<State> candidate(Job& job) {
    const auto kept = job.ports.keeper.kept();
    auto last = job.store.load();
    const auto is_kept = [&](const State& state) {
        return std::find(kept.begin(), kept.end(), state.id) != kept.end();
    };
    if (last && (last->open() || is_kept(*last)))
        return last;
    auto closed = job.store.closed();
    const auto found = std::find_if(closed.rbegin(), closed.rend(), is_kept);
    return found == closed.rend() ? last : *found;
}

Failure nothing_kept(const std::optional<State>& state) {
    const std::string hint = "revert to the snapshot, if you can lose the usage data collected since then";
    if (state && state->outcome == Outcome::rolled_back)
        return {Reason::rollback_unavailable,
                fmt::format("upgrade {} has already been rolled back", state->id), "there is nothing to do"};
    if (state && !state->kept_until.empty())
        return {Reason::rollback_expired,
                fmt::format("upgrade {} could be rolled back until {}", state->id, state->kept_until), hint};
    return {Reason::rollback_unavailable, "no upgrade can be rolled back: nothing is kept", hint};
}

} // namespace

std::optional<Ending> roll_back_by_hand(Job& job, const std::string& why) {
    auto& ports = job.ports;
    auto state = candidate(job);
    if (state && state->open() && change_is_at_work(job, *state))
        throw Failure(Reason::busy, "the change is running", "wait for its end: um-upgrade status --follow");
    if (state && state->open() && state->change == Change::none)
        throw Failure(
            Reason::rollback_unavailable,
            fmt::format("upgrade {} was interrupted in {}: nothing was changed yet", state->id,
                        word(state->stage)),
            "continue with 'systemctl start um-upgrade', or close it with 'um-upgrade abandon --why TEXT'");
    if (!state || !state->has_kept_files || state->outcome == Outcome::rolled_back)
        throw nothing_kept(state);
    if (!state->kept_until.empty() && state->kept_until <= iso8601(ports.appliance.now())) {
        job.state = *state;
        expire_kept_files(job);
        throw nothing_kept(job.state);
    }
    const auto kept = ports.keeper.kept();
    if (std::find(kept.begin(), kept.end(), state->id) == kept.end())
        throw nothing_kept(std::nullopt);
    job.state = std::move(*state);
    if (job.state.open() &&
        (job.state.rollback == RollbackStep::due || job.state.rollback == RollbackStep::taken)) {
        job.console.line(fmt::format("upgrade {} is already being rolled back", job.state.id));
        return resume_rollback(job);
    }
    const auto reason = std::exchange(job.state.outcome, std::nullopt) == Outcome::needs_manual
                            ? job.state.reason
                            : std::nullopt;
    job.state.rollback = RollbackStep::none;
    job.state.reason = reason;
    job.state.abandoned.clear();
    for (auto* text : {&job.state.message, &job.state.hint, &job.state.finished, &job.state.kept_until})
        text->clear();
    job.audit.event(
        EventKind::warning, job.state,
        {.message =
             "usage data collected since the upgrade is set aside, and will be missing from the reports "
             "until somebody restores it",
         .stage = job.state.stage,
         .reason = Reason::rollback_data});
    schedule_rollback(job, fmt::format("{} asked for it: {}", ports.appliance.operator_name(), why));
    return std::nullopt;
}

} // namespace um
