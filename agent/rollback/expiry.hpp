#pragma once
// How long the kept files stay.

#include "upgrade/job.hpp"

namespace um {

/// Says in the record what becomes of the kept files as an upgrade is closed.
void settle_kept_files(Job& job, Outcome outcome);

/// Gives back the space of kept files that no closed record speaks of, or whose time is over. Throws
/// SystemFailure.
void expire_kept_files(Job& job);

} // namespace um
