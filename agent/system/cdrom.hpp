#pragma once
// CD-ROM drives.

#include "ports/media_directory.hpp"

namespace um {

/// Whether a drive at this path has a medium in it; waits a few seconds for one that spins up. False where
/// there is no block device.
bool holds_medium(const std::string& path);

/// Opens the drive, which locks its door; other block devices are refused. Throws Failure (media.none,
/// media.insecure, media.unreadable).
OpenMedia open_drive(const std::string& path);

/// Whether another medium is in the drive than at open_drive(), or none.
bool medium_exchanged(const OpenMedia& media);

} // namespace um
