#pragma once
// The one lock of every command that advances an upgrade.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <chrono>
#include <string>

namespace um {

/// Takes the lock, which is held until the descriptor closes. A command that only looks holds it for a
/// moment, so this waits for up to `patience`. Throws Failure (busy), SystemFailure and Terminated.
Fd take_run_lock(Appliance& appliance, const std::string& runtime_directory, std::chrono::seconds patience);

/// Whether a process holds the lock. Does not take it.
bool is_run_locked(const std::string& runtime_directory);

} // namespace um
