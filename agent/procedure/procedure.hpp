#pragma once
// Runs the stages of the procedure, and makes an outcome of whatever they throw.

#include "base/termination.hpp"
#include "upgrade/job.hpp"

namespace um {

/// What a start does that finds the record in a stage, with nobody at work.
enum class OnCrash {
    restart, ///< nothing lasting was changed: from the top, and authenticate again
    settle,  ///< the apply unit's record decides; a change that was cut off is made again
    resume   ///< go on here
};

struct Step {
    Stage stage;
    Next (*work)(Job&);
    OnCrash on_crash;
};

const Step& step_of(Stage stage);

/// Ends the stage at work, with findings in the journal already.
struct Refused {
    Finding first;
};

/// A unit does not outlive its boot, nor is taken back what is at work: only else D-Bus must be there to be
/// asked. Throws SystemFailure.
bool change_is_at_work(Job& job, const State& state);

/// Puts the upgrade into the journal, once: when it is known that there is something to do.
void announce(Job& job);

/// Runs the stages from `first` on, to the end or to the reboot. Throws Refused, Terminated, SystemFailure.
ExitCode run_from(Job& job, Stage first);

/// An operator's next steps depend on what was changed, not on what went wrong.
Outcome outcome_of_failure(const State& state);

/// Tells of the end, files the record, and decides what becomes of the way back.
ExitCode close(Job& job, Outcome outcome, const EventDetail& detail, ExitCode code);

/// Closes the upgrade with this outcome, the finding is its reason; or, where a person would be needed and
/// the way back is kept, has it taken back.
ExitCode close_failed(Job& job, const Finding& finding, Outcome outcome, ExitCode code);

/// What guarded() makes of each exception.
ExitCode close_refused(Job& job, const Refused& refused);
void close_terminated(Job& job);
ExitCode close_broken(Job& job, const SystemFailure& failure);

/// The one place where what the stages throw becomes an outcome. Throws Terminated.
template <class Work>
ExitCode guarded(Job& job, Work work) {
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
