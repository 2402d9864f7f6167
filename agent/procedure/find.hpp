#pragma once
// Looks for media and for a reason to do nothing. Steps 1 and 3 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next find(Job& job);

} // namespace um::stages
