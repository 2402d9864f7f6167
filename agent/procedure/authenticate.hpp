#pragma once
// Decides whether the media are genuine. Step 2 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next authenticate(Job& job);

} // namespace um::stages
