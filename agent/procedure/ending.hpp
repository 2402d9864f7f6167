#pragma once
// The one place that closes an upgrade, and that makes an outcome of what the stages throw.

#include "base/termination.hpp"
#include "upgrade/job.hpp"

#include <optional>

namespace um {

/// Ends the stage at work, with its findings in the journal already.
struct Refused {
    Problem first;
};

/// The problem, with the way out of a half-changed appliance in its hint. There is one only where something
/// was changed.
Problem with_way_out(const Job& job, Problem problem);

/// An operator's next steps depend on what was changed, not on what went wrong.
Outcome outcome_of_failure(const State& state);

/// What preflight would refuse is a failed verification when it is found after the boot. No code may say that
/// nothing was changed where something was.
ExitCode code_of_failure(const State& state, Reason reason);

/// Tells of the end, files the record, and decides what becomes of the kept files.
ExitCode close(Job& job, const Ending& ending);

/// The same for a rollback; nothing where it waits for a boot.
ExitCode close(Job& job, const std::optional<Ending>& ending);

/// Closes the upgrade because of the problem. Where that would need a person and the old system is kept, the
/// upgrade is rolled back instead.
ExitCode close_failed(Job& job, const Problem& problem, Outcome outcome, ExitCode code);

// What closing_on_failure() makes of each exception.
ExitCode close_refused(Job& job, const Refused& refused);
void close_terminated(Job& job);
ExitCode close_broken(Job& job, const SystemFailure& failure);

/// The one place where what the stages throw becomes an outcome. Throws Terminated.
template <class Work>
ExitCode closing_on_failure(Job& job, Work work) {
    try {
        return work();
    } catch (const Refused& refused) {
        return close_refused(job, refused);
    } catch (const Terminated&) {
        close_terminated(job);
        throw;
    } catch (const SystemFailure& failure) {
        return close_broken(job, failure);
    }
}

} // namespace um
