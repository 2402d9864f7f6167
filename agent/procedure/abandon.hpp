#pragma once

#include "upgrade/job.hpp"

#include <string>

namespace um {

/// Ends an upgrade that a person closes: the command `abandon`. Throws Failure (busy), UsageError where none
/// is open.
void abandon_upgrade(Job& job, const std::string& why);

} // namespace um
