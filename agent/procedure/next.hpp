#pragma once

namespace um {

/// What follows a stage's work: the next stage, an end without an upgrade, or a boot.
enum class Next { stage, nothing_to_do, wait_for_boot };

} // namespace um
