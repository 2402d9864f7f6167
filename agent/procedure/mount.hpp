#pragma once
// Mounts the authenticated media. Steps 5 and 6 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next mount(Job& job);

} // namespace um::stages
