#pragma once

#include "upgrade/job.hpp"

#include <string>

namespace um {

/// media.changed: a change that was cut off is made again with the media that it was begun with, or not at
/// all. `found`: what is there now.
Failure other_media(const Job& job, const std::string& found);

} // namespace um
