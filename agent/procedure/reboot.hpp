#pragma once
// Requests the reboot. Step 8 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next reboot(Job& job);

} // namespace um::stages
