#pragma once
// Announces an upgrade and its stages in the journal.

#include "upgrade/job.hpp"

namespace um {

/// Puts the upgrade into the journal once, as soon as there is something to do.
void announce(Job& job);

/// Puts the start of the stage on record into the journal.
void announce_stage(Job& job);

} // namespace um
