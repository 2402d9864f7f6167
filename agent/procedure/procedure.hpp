#pragma once
// The procedure: the table of stages, and the loop that runs them.

#include "procedure/next.hpp"
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

/// Runs the stages from `first` on, to the end or to the reboot. Throws Refused, Terminated, SystemFailure.
ExitCode run_from(Job& job, Stage first);

} // namespace um
