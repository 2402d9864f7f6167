#pragma once
// CD-ROM drives.

#include "ports/media_directory.hpp"

namespace um {

/// Whether the drive at this path holds a medium. Waits up to 5 seconds for a drive that spins up. False if
/// there is no block device. Throws Terminated.
bool holds_medium(const std::string& path);

/// Opens the drive, which locks its door. Refuses other block devices. Throws Failure (media.none,
/// media.insecure, media.unreadable).
OpenMedia open_drive(const std::string& path);

/// Whether the drive holds another medium than at open_drive(), or none. Throws Failure (media.unreadable).
bool medium_exchanged(const OpenMedia& media);

} // namespace um
