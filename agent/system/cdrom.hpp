#pragma once
// CD-ROM drives, and block devices in their place.

#include "upgrade/ports.hpp"

namespace um {

/// Whether a drive at this path has a medium in it; waits a few seconds for one that spins up. False where
/// there is no block device.
bool holds_medium(const std::string& path);

/// Opens the drive, which locks its door. Throws Failure (media.none, media.insecure, media.unreadable).
OpenMedia open_drive(const std::string& path);

/// Whether the drive has told of another medium since open_drive(). A disk never does: its medium stays.
bool medium_exchanged(const OpenMedia& media);

} // namespace um
