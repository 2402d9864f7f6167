#pragma once
// The one lock of everything that moves an upgrade on.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <chrono>
#include <string>

namespace um {

/// Held until the descriptor closes. Another command that only looks holds it for a moment, so it is waited
/// for as long as `patience`. Throws Failure (busy), SystemFailure.
Fd take_run_lock(Appliance& appliance, const std::string& runtime_directory, std::chrono::seconds patience);

/// Asks without taking it.
bool is_run_locked(const std::string& runtime_directory);

} // namespace um
