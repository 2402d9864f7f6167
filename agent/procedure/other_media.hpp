#pragma once

#include "upgrade/job.hpp"

#include <string>

namespace um {

/// The failure media.changed. A change that was cut off is made again only with the media that it was begun
/// with. `found`: what is there now.
Failure other_media(const Job& job, const std::string& found);

} // namespace um
