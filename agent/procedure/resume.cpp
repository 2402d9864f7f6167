#include "upgrade/job.hpp"

#include "upgrade/snapshot.hpp"
#include "base/file.hpp"
#include "procedure/procedure.hpp"
#include "procedure/stages.hpp"
#include "rollback/keep.hpp"

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

/// Counts one more attempt, before anything is touched that may end this machine again; false when there
/// were enough.
bool try_again(Job& job) {
    if (job.state.tries >= attempt_limit)
        return false;
    ++job.state.attempts;
    ++job.state.tries;
    job.store.save(job.state);
    return true;
}

ExitCode give_up(Job& job) {
    const Finding finding{
        Finding::Severity::refusal, Reason::interrupted,
        fmt::format("interrupted {} times, last in {}", job.state.tries, word(job.state.stage)),
        "find out why from 'journalctl -t um-upgrade'"};
    job.audit.finding(EventKind::stage_failed, job.state, finding);
    return close_failed(job, finding, Outcome::needs_manual, ExitCode::needs_manual);
}

/// From the top, with everything found and authenticated again; a change that was cut off is then made again.
ExitCode restart(Job& job) {
    const bool changed = job.state.cut_off();
    if (job.config.apply.interrupted == OnInterruption::stop)
        return close_failed(job,
                            {Finding::Severity::refusal, Reason::interrupted,
                             fmt::format("interrupted in {}; {}", word(job.state.stage),
                                         changed ? "the change was begun" : "nothing was changed"),
                             changed ? "the snapshot is the way back" : "start um-upgrade again"},
                            changed ? Outcome::needs_manual : Outcome::failed,
                            changed ? ExitCode::needs_manual : ExitCode::internal);
    // As the interrupted run was told, unless this one is told otherwise.
    if (!job.only_media.empty())
        job.state.requested_media = job.only_media;
    job.only_media = job.state.requested_media;
    if (!try_again(job))
        return give_up(job);
    return run_from(job, Stage::find);
}

/// Where an interrupted upgrade goes on.
ExitCode resume(Job& job) {
    if (job.state.stage == Stage::find && !job.state.cut_off())
        announce(job); // recorded right before the journal was told, which may not have come to pass
    job.announced = true;
    job.audit.event(EventKind::upgrade_resumed, job.state,
                    {.message = fmt::format("upgrade {} goes on after an interruption in {}", job.state.id,
                                            word(job.state.stage)),
                     .stage = job.state.stage});
    wake_product(job);
    switch (step_of(job.state.stage).on_crash) {
    case OnCrash::restart:
        return restart(job);
    case OnCrash::settle:
        if (change_is_at_work(job, job.state))
            stages::await_change(job); // it alone writes the record meanwhile
        else
            stages::reload(job); // it may have ended just now
        if (job.state.change == Change::none || job.state.cut_off())
            return restart(job);
        break;
    case OnCrash::resume:
        // Asking for the reboot once more ends no machine; what ends it while it is verified would for ever.
        if (job.state.stage == Stage::verify && !try_again(job))
            return give_up(job);
        break;
    }
    return run_from(job, job.state.stage);
}

bool boot_happened(const Job& job) {
    // Also when the agent was gone at the end of the change, and somebody rebooted.
    const bool due = job.state.stage == Stage::reboot ||
                     (job.state.stage == Stage::apply && job.state.change == Change::done);
    return due && job.state.boot_id != job.ports.appliance.boot_id();
}

ExitCode after_boot(Job& job) {
    job.announced = true;
    job.state.tries = 1; // of the verification
    job.audit.event(EventKind::stage_finished, job.state,
                    {.message = "the appliance has rebooted", .stage = Stage::reboot});
    return run_from(job, Stage::verify);
}

/// What an upgrade goes on with the next start shall find, too; on record with what is saved next.
void take_given_config(Job& job) {
    if (!job.config_path.empty())
        job.state.config = job.config_path;
}

/// Whoever was asked, whose policy it is, or who cancelled the reboot that was announced: it is not asked for
/// again behind the operator's back.
bool is_left_to_the_operator(const Job& job) {
    const bool waits =
        job.state.returns() ? job.state.rollback == Return::due : job.state.stage == Stage::reboot;
    return waits && job.state.reboot_is_left && job.state.boot_id == job.ports.appliance.boot_id();
}

ExitCode waits_for_reboot(Job& job) {
    job.console.line(fmt::format("upgrade {} waits for the reboot: run 'reboot'", job.state.id));
    return ExitCode::done;
}

ExitCode person_must_decide(Job& job) {
    job.console.line(fmt::format("upgrade {} needs a person: {}\n    -> {}", job.state.id, job.state.message,
                                 way_out(job.state)));
    job.audit.progress("needs-manual: " + job.state.message);
    return ExitCode::needs_manual;
}

void reopen(Job& job) {
    job.state.outcome.reset();
    job.state.reason.reset();
    for (auto* text : {&job.state.message, &job.state.hint, &job.state.finished})
        text->clear();
    job.store.save(job.state);
}

} // namespace

ExitCode run_procedure(Job& job) {
    auto state = job.store.load();
    if (!state || (!state->open() && !state->waits_for_a_person()))
        return guarded(job, [&] { return start_new(job); });
    job.state = std::move(*state);
    take_given_config(job);
    if (job.state.goes_on_when_mended())
        reopen(job);
    if (job.state.waits_for_a_person())
        return person_must_decide(job);
    if (job.state.returns())
        return guarded(job, [&] { return go_on_returning(job); });
    if (job.state.stage == Stage::reboot && !boot_happened(job) &&
        job.config.reboot.policy == RebootPolicy::manual)
        return waits_for_reboot(job);
    return guarded(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

ExitCode continue_after_boot(Job& job) {
    auto state = job.store.load();
    if (!state || !state->open()) {
        if (state)
            job.state = std::move(*state);
        expire_ways_back(job);
        return ExitCode::done;
    }
    job.state = std::move(*state);
    take_given_config(job);
    if (is_left_to_the_operator(job))
        return waits_for_reboot(job);
    if (job.state.returns())
        return guarded(job, [&] { return go_on_returning(job); });
    return guarded(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

void abandon_upgrade(Job& job, const std::string& why) {
    const auto who = job.ports.appliance.operator_name();
    const auto expect_nobody_at_work = [](bool at_work) {
        if (at_work)
            throw Failure(Reason::busy, "the change is at work and cannot be abandoned",
                          "wait for its end: um-upgrade status --follow");
    };
    std::optional<State> state;
    try {
        state = job.store.load();
    } catch (const Failure& failure) { // closing it is the way out that the refusal names
        expect_nobody_at_work(job.ports.services.status(apply_unit).running());
        const auto kept = job.store.set_aside(iso8601(job.ports.appliance.now()));
        job.audit.event(EventKind::abandoned, State{},
                        {.message = fmt::format("{} abandoned a record that cannot be understood ({}): {}",
                                                who, kept, why),
                         .reason = failure.reason()});
        return;
    }
    if (!state || (!state->open() && !state->waits_for_a_person()))
        throw UsageError("no upgrade is open; there is nothing to abandon");
    expect_nobody_at_work(change_is_at_work(job, *state));
    job.state = *state;
    if (job.state.open()) {
        job.state.outcome =
            outcome_of_failure(job.state) == Outcome::needs_manual ? Outcome::needs_manual : Outcome::failed;
        job.state.reason = Reason::interrupted;
        job.state.message = fmt::format("abandoned in {}", word(job.state.stage));
        job.state.finished = iso8601(job.ports.appliance.now());
    }
    wake_product(job);
    job.state.abandoned = why;
    std::string called_off;
    if (job.state.returns()) { // the old system stays kept, and nothing takes it back by itself
        if (job.state.rollback == Return::due)
            called_off = "; it is not taken back in the next boot any more";
        job.state.rollback = Return::none;
        remove_file_durably(due_flag(job));
    }
    settle_way_back(job, *job.state.outcome);
    job.store.save(job.state);
    // Said before it is filed, and on disk: who abandons may reset the machine next.
    job.audit.event(
        EventKind::abandoned, job.state,
        {.message = fmt::format("{} abandoned upgrade {}{}: {}", who, job.state.id, called_off, why),
         .outcome = job.state.outcome});
    job.ports.appliance.flush_journal();
    job.store.close(job.state);
}

} // namespace um
