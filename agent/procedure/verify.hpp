#pragma once
// Decides after the boot whether the upgrade worked. Steps 9 and 10 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next verify(Job& job);

} // namespace um::stages
