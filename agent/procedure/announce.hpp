#pragma once
// The first words of an upgrade's story.

#include "upgrade/job.hpp"

namespace um {

/// Puts the upgrade into the journal, once: when it is known that there is something to do.
void announce(Job& job);

/// Tells that the stage on record has begun.
void announce_stage(Job& job);

} // namespace um
