#include "procedure/resume.hpp"

#include "base/time.hpp"
#include "change/watch.hpp"
#include "procedure/announce.hpp"
#include "procedure/ending.hpp"
#include "procedure/procedure.hpp"
#include "rollback/expiry.hpp"
#include "rollback/paused_units.hpp"
#include "rollback/rollback.hpp"
#include "upgrade/units.hpp"

namespace um {
namespace {

ExitCode start_new(Job& job) {
    job.state = State{};
    job.state.id = job.ports.appliance.new_id();
    job.state.started = iso8601(job.ports.appliance.now());
    job.state.attempts = 1;
    job.state.tries = 1;
    job.state.config = job.config_path;
    job.state.requested_media = job.only_media;
    return run_from(job, Stage::find);
}

/// Counts one more attempt before anything that may crash the machine again. Returns false after enough
/// attempts.
bool try_again(Job& job) {
    if (job.state.tries >= attempt_limit)
        return false;
    ++job.state.attempts;
    ++job.state.tries;
    job.store.save(job.state);
    return true;
}

ExitCode close_interrupted(Job& job) {
    const Problem problem{
        Reason::interrupted,
        fmt::format("interrupted {} times, last in {}", job.state.tries, word(job.state.stage)),
        "find out why from 'journalctl -t um-upgrade'"};
    job.audit.finding(EventKind::stage_failed, job.state, refusal(with_way_out(job, problem)));
    return close_failed(job, problem, Outcome::needs_manual, ExitCode::needs_manual);
}

/// Begins at the top, so that everything is found and authenticated again. A change that was cut off is then
/// made again.
ExitCode restart(Job& job) {
    const bool changed = job.state.cut_off();
    if (job.config.apply.interrupted == OnInterruption::stop)
        return close_failed(job,
                            {Reason::interrupted,
                             fmt::format("interrupted in {}; {}", word(job.state.stage),
                                         changed ? "the change was begun" : "nothing was changed"),
                             changed ? "" : "start um-upgrade again"},
                            changed ? Outcome::needs_manual : Outcome::failed,
                            changed ? ExitCode::needs_manual : ExitCode::internal);
    // This run uses the media that the interrupted run was given, unless it was given others.
    if (!job.only_media.empty())
        job.state.requested_media = job.only_media;
    job.only_media = job.state.requested_media;
    if (!try_again(job))
        return close_interrupted(job);
    return run_from(job, Stage::find);
}

/// Continues an interrupted upgrade, as the table requires for its stage.
ExitCode resume(Job& job) {
    if (job.state.stage == Stage::find && !job.state.cut_off())
        announce(job); // the record is saved first, so the journal may not have it yet
    job.announced = true;
    job.audit.event(
        EventKind::upgrade_resumed, job.state,
        {.message = job.state.reboot_is_left && job.state.waits_for_boot(job.ports.appliance.boot_id())
                        ? fmt::format("upgrade {} still waits for its reboot", job.state.id)
                        : fmt::format("upgrade {} continues after an interruption in {}", job.state.id,
                                      word(job.state.stage)),
         .stage = job.state.stage});
    start_paused_units(job);
    switch (step_of(job.state.stage).on_crash) {
    case OnCrash::restart:
        return restart(job);
    case OnCrash::settle:
        if (change_is_at_work(job, job.state))
            await_change(job); // only the apply unit writes the record meanwhile
        else
            reload(job); // the change may have ended just now
        if (job.state.change == Change::none || job.state.cut_off())
            return restart(job);
        break;
    case OnCrash::resume:
        // Requesting the reboot again does not crash the machine. Whatever crashes it in the verification
        // could do so forever, so those attempts are limited.
        if (job.state.stage == Stage::verify && !try_again(job))
            return close_interrupted(job);
        break;
    }
    return run_from(job, job.state.stage);
}

bool boot_happened(const Job& job) {
    // The agent may be gone when the change ends, and somebody may reboot then.
    const bool due = job.state.stage == Stage::reboot ||
                     (job.state.stage == Stage::apply && job.state.change == Change::done);
    return due && job.state.boot_id != job.ports.appliance.boot_id();
}

ExitCode after_boot(Job& job) {
    job.announced = true;
    job.state.tries = 1; // the verification is a phase of its own
    job.audit.event(EventKind::stage_finished, job.state,
                    {.message = "the appliance has rebooted", .stage = Stage::reboot});
    return run_from(job, Stage::verify);
}

/// The next start must find the configuration that this one continues with. The next save puts it on record.
void take_given_config(Job& job) {
    if (!job.config_path.empty())
        job.state.config = job.config_path;
}

/// The operator decides about the reboot after a "no", by policy, or after canceling the announced reboot.
/// The agent then does not request it again by itself.
bool is_left_to_the_operator(const Job& job) {
    const bool waits =
        job.state.rolling_back() ? job.state.rollback == RollbackStep::due : job.state.stage == Stage::reboot;
    return waits && job.state.reboot_is_left && job.state.boot_id == job.ports.appliance.boot_id();
}

ExitCode waits_for_reboot(Job& job) {
    job.console.line(fmt::format("upgrade {} waits for the reboot: run 'reboot'", job.state.id));
    return ExitCode::done;
}

ExitCode person_must_decide(Job& job) {
    job.console.line(fmt::format("upgrade {} needs a person: {}\n    -> {}", job.state.id, job.state.message,
                                 way_out(job.state)));
    job.audit.status("needs-manual: " + job.state.message);
    return ExitCode::needs_manual;
}

void reopen(Job& job) {
    job.state.outcome.reset();
    job.state.clear_problem();
    job.state.finished.clear();
    job.store.save(job.state);
}

} // namespace

ExitCode run_procedure(Job& job) {
    auto state = job.store.load();
    if (!state || (!state->open() && !state->waits_for_a_person()))
        return closing_on_failure(job, [&] { return start_new(job); });
    job.state = std::move(*state);
    take_given_config(job);
    if (job.state.goes_on_when_mended())
        reopen(job);
    if (job.state.waits_for_a_person())
        return person_must_decide(job);
    if (job.state.rolling_back())
        return closing_on_failure(job, [&] { return close(job, resume_rollback(job)); });
    if (job.state.stage == Stage::reboot && !boot_happened(job) &&
        job.config.reboot.policy == RebootPolicy::manual)
        return waits_for_reboot(job);
    return closing_on_failure(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

ExitCode continue_after_boot(Job& job) {
    auto state = job.store.load();
    if (!state || !state->open()) {
        if (state)
            job.state = std::move(*state);
        expire_kept_files(job);
        return ExitCode::done;
    }
    job.state = std::move(*state);
    take_given_config(job);
    if (is_left_to_the_operator(job))
        return waits_for_reboot(job);
    if (job.state.rolling_back())
        return closing_on_failure(job, [&] { return close(job, resume_rollback(job)); });
    return closing_on_failure(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

} // namespace um
