#pragma once
// Takes the last steps before the change: sshd, kernel modules, and keeping the old system. Precondition 2 of
// the procedure.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next prepare(Job& job);

} // namespace um::stages
