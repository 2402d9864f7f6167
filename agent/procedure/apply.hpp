#pragma once
// Begins the change in its own unit and waits for its end. Step 7 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next apply(Job& job);

} // namespace um::stages
