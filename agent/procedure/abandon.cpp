#include "procedure/abandon.hpp"

#include "base/time.hpp"
#include "procedure/ending.hpp"
#include "rollback/expiry.hpp"
#include "rollback/paused_units.hpp"
#include "rollback/rollback.hpp"
#include "upgrade/units.hpp"

namespace um {

void abandon_upgrade(Job& job, const std::string& why) {
    const auto who = job.ports.appliance.operator_name();
    const auto expect_nobody_at_work = [](bool at_work) {
        if (at_work)
            throw Failure(Reason::busy, "the change is running and cannot be abandoned",
                          "wait for its end: um-upgrade status --follow");
    };
    std::optional<State> state;
    try {
        state = job.store.load();
    } catch (const Failure& failure) { // the refusal of such a record names this command as the way out
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
    start_paused_units(job);
    job.state.abandoned = why;
    std::string called_off;
    if (job.state.rolling_back()) { // the kept files stay, and nothing rolls back by itself
        if (job.state.rollback == RollbackStep::due)
            called_off = "; the rollback in the next boot is canceled";
        job.state.rollback = RollbackStep::none;
        call_off_rollback(job);
    }
    settle_kept_files(job, *job.state.outcome);
    job.store.save(job.state);
    // The journal has it on disk before the record is filed, because the operator may reset the machine next.
    job.audit.event(
        EventKind::abandoned, job.state,
        {.message = fmt::format("{} abandoned upgrade {}{}: {}", who, job.state.id, called_off, why),
         .outcome = job.state.outcome});
    job.ports.appliance.flush_journal();
    job.store.close(job.state);
}

} // namespace um
