#pragma once

#include "upgrade/job.hpp"

#include <string>

namespace um {

/// Closes an upgrade on behalf of a person: the command `abandon`. Throws Failure (busy), UsageError if none
/// is open, SystemFailure.
void abandon_upgrade(Job& job, const std::string& why);

} // namespace um
