#pragma once
// Keeps the old system before a change, so that a change that fails can be rolled back.

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// What the agent itself, its logs and the media are: neither kept nor compared. The whole directory of the
/// log is left out where it is called log or logs.
std::vector<std::string> left_out(const Job& job);

/// Works out what it takes to keep the old system, for preflight to judge. Nothing where the mode is off.
/// Throws Failure (rollback.unavailable).
std::optional<RollbackCost> rollback_cost(Job& job);

/// Keeps the old system, in prepare. The kept files of earlier upgrades make room for it. Adds to job.note
/// and job.findings. Throws Failure (rollback.unavailable), with nothing kept.
void keep_old_system(Job& job);

} // namespace um
