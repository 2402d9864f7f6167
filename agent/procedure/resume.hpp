#pragma once
// Where a start begins: a new upgrade, or an open one where it was left.

#include "upgrade/job.hpp"

namespace um {

/// Runs the procedure, or resumes an interrupted one: the command `run`.
ExitCode run_procedure(Job& job);

/// Resumes what waits for this boot, and does nothing else: the command `verify`.
ExitCode continue_after_boot(Job& job);

} // namespace um
