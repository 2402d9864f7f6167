#pragma once
// The procedure: the table of stages, and the loop that runs them.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um {

/// What a start does if the record is in a stage and nothing is running.
enum class OnCrash {
    restart, ///< nothing lasting was changed: begin at the top and authenticate again
    settle,  ///< the apply unit's record decides; a change that was cut off is made again
    resume   ///< continue with this stage
};

struct Step {
    Stage stage;
    Next (*work)(Job&);
    OnCrash on_crash;
};

const Step& step_of(Stage stage);

/// Runs the stages from `first` to the end or to the reboot. Throws Refused, Terminated, SystemFailure.
ExitCode run_from(Job& job, Stage first);

} // namespace um
