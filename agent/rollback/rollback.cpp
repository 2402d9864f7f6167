// Takes an upgrade back: decides it, puts the old system back in a boot of its own, proves it in the next
// one.

#include "base/file.hpp"
#include "packages/packages.hpp"
#include "checks/product_logs.hpp"
#include "rollback/proof.hpp"
#include "procedure/procedure.hpp"
#include "procedure/stages.hpp"
#include "rollback/keep.hpp"

#include <algorithm>
#include <iterator>
#include <sstream>

namespace um {
namespace {

constexpr auto retry_by_hand =
    "mend it, then 'um-upgrade rollback --why TEXT' goes on; or the snapshot is the way back";

/// um-upgrade-rollback.service counts its boots in there, where this program cannot.
std::string boots_of_unit(const Job& job) {
    return job.store.directory() + "/rollback-boots";
}

/// What failed may have taken D-Bus along; the units are enabled when um-upgrade is installed, and need none
/// to start in the next boot. Throws Failure where the one that takes back cannot run; what would prove it in
/// the end may be missing by now, and a person is told of it then.
void ensure_units(Job& job) {
    try {
        ensure_rollback_unit(job, Reason::rollback_failed);
        try {
            stages::ensure_verification(job);
        } catch (const Failure& failure) {
            auto finding = failure.finding();
            finding.severity = Finding::Severity::warning;
            job.audit.finding(EventKind::warning, job.state, finding);
        }
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state,
                         fmt::format("{}, ignoring: the next boot starts what is enabled", failure.what()));
    }
}

void ask_for_boot(Job& job) {
    job.state.reboot_is_left = job.config.reboot.policy == RebootPolicy::manual;
    stages::request_reboot(job, job.state.rollback == Return::taken
                                    ? "the old system is back, and is proved in the boot that follows"
                                    : "the upgrade is taken back in the boot that follows");
}

ExitCode close_not_taken_back(Job& job) {
    const Finding finding{Finding::Severity::refusal, Reason::rollback_failed, job.state.message,
                          job.state.hint};
    job.audit.finding(EventKind::stage_failed, job.state, finding);
    job.audit.event(EventKind::rollback_finished, job.state,
                    {.message = "the upgrade could not be taken back",
                     .outcome = Outcome::needs_manual,
                     .reason = Reason::rollback_failed});
    return close(job, Outcome::needs_manual,
                 {.message = finding.message, .hint = finding.hint, .reason = finding.reason},
                 ExitCode::needs_manual);
}

void give_up(Job& job, const std::string& message, const std::string& hint) {
    job.state.rollback = Return::failed;
    job.state.message = message;
    job.state.hint = hint;
    job.state.boot_id = job.ports.appliance.boot_id();
    job.store.save(job.state);
}

/// Every file that a package owns now, the new ones among them; when rpm cannot tell, the trees' own walk and
/// the media's list must do.
std::vector<std::string> owned_files(Job& job) {
    // Once the database is the old one, it does not tell any more.
    if (auto known = read_note(job, owned_note); !known.empty())
        return known;
    std::vector<std::string> paths;
    try {
        std::istringstream stream(query_installed(job.ports.appliance, "[%{FILENAMES}\n]"));
        for (std::string line; std::getline(stream, line);)
            if (!line.empty() && line.front() == '/')
                paths.push_back(line);
        write_note(job, owned_note, paths);
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state,
                         fmt::format("{}, ignoring: what the media brought is known", failure.what()));
    }
    return paths;
}

/// What the new version wrote into the logs says nothing of the old one.
void forget_logs(Job& job) {
    try {
        mark_logs(job.ports.appliance, job.config, log_marks(job));
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state, fmt::format("{}, ignoring: the logs are searched from where they were",
                                                failure.what()));
    }
}

/// The unit should have done it in this boot, before anything else ran.
ExitCode return_in_another_boot(Job& job) {
    if (job.state.tries >= return_limit) {
        give_up(job,
                fmt::format("{} has not taken the upgrade back in {} boots", rollback_unit, job.state.tries),
                fmt::format("look at 'systemctl status {}', mend it, then 'um-upgrade rollback --why TEXT'",
                            rollback_unit));
        return close_not_taken_back(job);
    }
    ++job.state.tries;
    job.store.save(job.state);
    try {
        begin_return(job, job.state.rollback_why);
        return ExitCode::done;
    } catch (const Failure& failure) {
        give_up(job, failure.what(), failure.hint());
        return close_not_taken_back(job);
    }
}

} // namespace

void ensure_rollback_unit(Job& job, Reason reason) {
    auto& services = job.ports.services;
    const auto status = services.status(rollback_unit);
    if (status.masked || !status.loaded)
        throw Failure(
            reason, fmt::format("{} is {}", rollback_unit, status.masked ? "masked" : "not installed"),
            "unmask it, or install um-upgrade's package again; then start again what you had started");
    if (status.enablement == "disabled" || status.enablement == "enabled-runtime")
        services.enable(rollback_unit);
}

bool may_take_back(const Job& job) {
    return job.config.rollback.mode == RollbackMode::automatic && job.state.way_back &&
           !job.state.returns() && job.state.change != Change::none;
}

void begin_return(Job& job, const std::string& why) {
    job.ports.keeper.make_room(job.state.id);
    ensure_units(job);
    const bool first = job.state.rollback != Return::due;
    if (first) {
        job.state.tries = 0;
        remove_file_durably(boots_of_unit(job));
    }
    job.state.rollback = Return::due;
    job.state.rollback_why = why;
    job.state.reboot_is_left = false; // the change's own may have been
    job.state.boot_id = job.ports.appliance.boot_id();
    if (first)
        job.audit.event(
            EventKind::rollback_started, job.state,
            {.message = fmt::format("taking the upgrade back to {}: {}", job.state.from_version, why),
             .reason = job.state.reason});
    job.ports.appliance.flush_journal(); // what is on record is told of
    job.store.save(job.state);
    replace_file(due_flag(job), "um-upgrade-rollback.service takes the upgrade back in the next boot\n");
    ask_for_boot(job);
}

ExitCode take_back(Job& job) {
    auto state = job.store.load();
    if (!state || state->rollback != Return::due) { // cut off when all was done
        remove_file_durably(due_flag(job));
        return ExitCode::done;
    }
    job.state = std::move(*state);
    auto& keeper = job.ports.keeper;
    keeper.make_room(job.state.id);
    ExitCode code = ExitCode::done;
    if (job.state.tries >= return_limit) {
        give_up(
            job,
            fmt::format("taking the upgrade back was interrupted {} times; some files may be the old ones, "
                        "some the new ones",
                        job.state.tries),
            retry_by_hand);
        code = ExitCode::needs_manual;
    } else {
        ++job.state.tries;
        job.store.save(job.state);
        job.audit.output(job.state, "putting the old system back");
        job.audit.progress("rollback: putting the old system back");
        try {
            const auto result = keeper.take_back(job.state.id, owned_files(job));
            write_note(job, files_note, result.differences);
            forget_logs(job);
            job.audit.output(
                job.state, fmt::format("the old system is back; {} differences", result.differences.size()));
            job.state.rollback = Return::taken;
            job.state.tries = 0;
            job.state.boot_id = job.ports.appliance.boot_id();
            job.store.save(job.state);
        } catch (const Failure& failure) {
            give_up(job, failure.what(), failure.hint());
            code = ExitCode::needs_manual;
        } catch (const SystemFailure& failure) {
            give_up(job,
                    fmt::format("the old system could not be put back as a whole, some files may be the old "
                                "ones, some the new ones: {}",
                                failure.what()),
                    retry_by_hand);
            code = ExitCode::needs_manual;
        }
    }
    job.ports.appliance.sync();
    remove_file_durably(due_flag(job));
    remove_file_durably(boots_of_unit(job));
    if (code == ExitCode::done)
        try {
            job.ports.appliance.flush_journal();
            job.ports.services.reboot();
        } catch (const SystemFailure& failure) {
            job.audit.output(job.state,
                             fmt::format("{}, ignoring: {} asks again", failure.what(), verify_unit));
        }
    return code;
}

ExitCode go_on_returning(Job& job) {
    job.announced = true;
    const bool booted = job.state.boot_id != job.ports.appliance.boot_id();
    switch (job.state.rollback) {
    case Return::none:
        break;
    case Return::failed:
        return close_not_taken_back(job);
    case Return::due:
        if (booted)
            return return_in_another_boot(job);
        ask_for_boot(job); // unless it is due already
        return ExitCode::done;
    case Return::taken:
        if (booted)
            return prove_return(job);
        ask_for_boot(job);
        return ExitCode::done;
    }
    return ExitCode::internal;
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

Failure no_way_back(const std::optional<State>& state) {
    const std::string hint =
        "the snapshot is the way back, as long as no usage data counts that was collected since";
    if (state && state->outcome == Outcome::rolled_back)
        return {Reason::rollback_unavailable, fmt::format("upgrade {} was taken back already", state->id),
                "there is nothing to do"};
    if (state && !state->kept_until.empty())
        return {Reason::rollback_expired,
                fmt::format("the way back of upgrade {} was kept until {}", state->id, state->kept_until),
                hint};
    return {Reason::rollback_unavailable, "no upgrade's way back is kept", hint};
}

} // namespace

ExitCode take_back_by_hand(Job& job, const std::string& why) {
    auto& ports = job.ports;
    auto state = candidate(job);
    if (state && state->open() && change_is_at_work(job, *state))
        throw Failure(Reason::busy, "the change is at work", "wait for its end: um-upgrade status --follow");
    if (state && state->open() && state->change == Change::none)
        throw Failure(
            Reason::rollback_unavailable,
            fmt::format("upgrade {} was interrupted in {}: nothing was changed yet", state->id,
                        word(state->stage)),
            "go on with 'systemctl start um-upgrade', or close it with 'um-upgrade abandon --why TEXT'");
    if (!state || !state->way_back || state->outcome == Outcome::rolled_back)
        throw no_way_back(state);
    if (!state->kept_until.empty() && state->kept_until <= iso8601(ports.appliance.now())) {
        job.state = *state;
        expire_ways_back(job);
        throw no_way_back(job.state);
    }
    const auto kept = ports.keeper.kept();
    if (std::find(kept.begin(), kept.end(), state->id) == kept.end())
        throw no_way_back(std::nullopt);
    job.state = std::move(*state);
    if (job.state.open() && (job.state.rollback == Return::due || job.state.rollback == Return::taken)) {
        job.console.line(fmt::format("upgrade {} is being taken back already", job.state.id));
        return go_on_returning(job);
    }
    const auto reason = std::exchange(job.state.outcome, std::nullopt) == Outcome::needs_manual
                            ? job.state.reason
                            : std::nullopt;
    job.state.rollback = Return::none;
    job.state.reason = reason;
    job.state.abandoned.clear();
    for (auto* text : {&job.state.message, &job.state.hint, &job.state.finished, &job.state.kept_until})
        text->clear();
    job.audit.event(
        EventKind::warning, job.state,
        {.message =
             "usage data that were collected since the upgrade are set aside with what it brought, and "
             "missing from the reports until somebody brings them back",
         .stage = job.state.stage,
         .reason = Reason::rollback_data});
    begin_return(job, fmt::format("{} asked for it: {}", ports.appliance.operator_name(), why));
    return ExitCode::done;
}

} // namespace um
