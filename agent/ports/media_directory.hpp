#pragma once
// Finds and opens media: files and drives.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include "base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// The ISO, open from authentication to unmount. No path is opened twice.
struct OpenMedia {
    Fd fd;
    std::string path;               ///< for messages only
    std::uint64_t size = 0;         ///< bytes
    bool drive = false;             ///< a CD-ROM drive, not a file
    bool leased = false;            ///< the kernel reports when a process opens the file for writing
    std::uint64_t generation = 0;   ///< the kernel's number of the medium in a drive; 0 if it counts none
    std::int64_t modified_ns = 0;   ///< of the file's content, since the epoch
    std::int64_t attributed_ns = 0; ///< of the file's attributes and names, since the epoch (st_ctime)
};

class MediaDirectory {
public:
    virtual ~MediaDirectory() = default;
    /// The paths that match a glob(7) pattern, sorted. A drive counts only when a medium is in it.
    virtual std::vector<std::string> matches(const std::string& pattern) = 0;
    /// A path under /dev is a drive. Everything else must be a file on a local file system that only root can
    /// change and that no process has open for writing. Throws Failure (media.none, media.insecure,
    /// media.unreadable).
    virtual OpenMedia open(const std::string& path) = 0;
    /// The file's text; nothing when there is no such file. Throws Failure (media.insecure,
    /// media.unreadable).
    virtual std::optional<std::string> read_sidecar(const std::string& path) = 0;
    /// Checks that the medium is still the one that was opened. Size, times and names of a file are the same,
    /// and no process opened it for writing; a drive has reported no exchange. Throws Failure (media.changed,
    /// media.unreadable).
    virtual void expect_unchanged(const OpenMedia& media) = 0;
};

} // namespace um
