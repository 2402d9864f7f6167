#pragma once
// Begins a new upgrade, or continues an open one where it stopped.

#include "upgrade/job.hpp"

namespace um {

/// Runs the procedure, or resumes an interrupted one: the command `run`. Throws Failure for a damaged record,
/// SystemFailure and Terminated.
ExitCode run_procedure(Job& job);

/// Resumes what waits for this boot, and otherwise only frees expired kept files: the command `verify`.
/// Throws as run_procedure() does.
ExitCode continue_after_boot(Job& job);

} // namespace um
