#pragma once
// The last steps before the change: sshd, kernel modules, and the old system kept. Precondition 2.

#include "procedure/next.hpp"
#include "upgrade/job.hpp"

namespace um::stages {

/// Adds what it finds to job.findings. Throws Failure, SystemFailure and Terminated.
Next prepare(Job& job);

} // namespace um::stages
