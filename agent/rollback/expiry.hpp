#pragma once
// Decides how long kept files stay.

#include "upgrade/job.hpp"

namespace um {

/// Records what becomes of the kept files when an upgrade is closed.
void settle_kept_files(Job& job, Outcome outcome);

/// Frees the space of kept files that no record mentions or whose time is over. Throws SystemFailure.
void expire_kept_files(Job& job);

} // namespace um
