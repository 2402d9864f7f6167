#pragma once
// The one place that closes an upgrade and makes an outcome of what the stages throw.

#include "base/termination.hpp"
#include "upgrade/job.hpp"

#include <optional>

namespace um {

/// Ends the running stage. Its findings are in the journal already.
struct Refused {
    Problem first;
};

/// Adds the way out of a half-changed appliance to the problem's hint. There is a way out only if something
/// was changed.
Problem with_way_out(const Job& job, Problem problem);

/// An operator's next steps depend on what was changed, not on what went wrong.
Outcome outcome_of_failure(const State& state);

/// What preflight would refuse is a failed verification if it is found after the boot. No exit code may mean
/// that nothing was changed if something was.
ExitCode code_of_failure(const State& state, Reason reason);

/// Puts the end into the journal, files the record, and decides what becomes of the kept files.
ExitCode close(Job& job, const Ending& ending);

/// The same for a rollback. Does nothing while that waits for a boot.
ExitCode close(Job& job, const std::optional<Ending>& ending);

/// Closes the upgrade because of the problem. If that would need a person and a rollback is possible, the
/// upgrade is rolled back instead. Throws SystemFailure.
ExitCode close_failed(Job& job, const Problem& problem, Outcome outcome, ExitCode code);

// closing_on_failure() calls one of these for each kind of exception.
ExitCode close_refused(Job& job, const Refused& refused);
void close_terminated(Job& job);
ExitCode close_broken(Job& job, const SystemFailure& failure);

/// Runs `work`. This is the one place where what the stages throw becomes an outcome. Throws Terminated.
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
