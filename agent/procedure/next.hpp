#pragma once

namespace um {

/// What a stage's work leads to.
enum class Next { stage, nothing_to_do, wait_for_boot };

} // namespace um
