#pragma once
// Decides whether this appliance may take these media now. Precondition 1 and step 9 of the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next preflight(Job& job);

} // namespace um::stages
