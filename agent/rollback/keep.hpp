#pragma once
// Keeps the old system before a change, so that a failed change can be rolled back.

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// The paths of the agent itself, its log and the media, which are neither kept nor compared. The log's whole
/// directory is left out if its name is log or logs.
std::vector<std::string> left_out(const Job& job);

/// Works out what it takes to keep the old system, for preflight to judge. Nothing if the mode is off.
/// Throws Failure (rollback.unavailable).
std::optional<RollbackCost> rollback_cost(Job& job);

/// Keeps the old system, in the prepare stage. It first discards the kept files of earlier upgrades. Adds to
/// job.note and job.findings. Throws Failure (rollback.unavailable, services.unhealthy), with nothing kept.
void keep_old_system(Job& job);

} // namespace um
