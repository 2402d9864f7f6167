#pragma once
// Finds and opens media: files and drives.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include "base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// The ISO, open from authentication to unmount: no path is opened twice.
struct OpenMedia {
    Fd fd;
    std::string path;             ///< for messages only
    std::uint64_t size = 0;       ///< bytes
    bool drive = false;           ///< a CD-ROM drive, not a file
    bool leased = false;          ///< the kernel tells when somebody opens the file for writing
    std::uint64_t generation = 0; ///< the kernel's number of the medium in a drive; 0: it does not count them
    std::int64_t modified_ns = 0; ///< of the file's content, since the epoch
    std::int64_t attributed_ns = 0; ///< of the file's attributes and names, since the epoch (st_ctime)
};

/// Finds and opens media: files and drives.
class MediaDirectory {
public:
    virtual ~MediaDirectory() = default;
    /// Paths that match a shell pattern, sorted. A device counts only when a medium is in it.
    virtual std::vector<std::string> matches(const std::string& pattern) = 0;
    /// What stands under /dev is a drive, all else a file that only root can change, on a local file system,
    /// with nobody writing to it. Throws Failure (media.none, media.insecure, media.unreadable).
    virtual OpenMedia open(const std::string& path) = 0;
    /// Nothing when there is no such file. Throws Failure (media.insecure, media.unreadable).
    virtual std::optional<std::string> read_sidecar(const std::string& path) = 0;
    /// The medium is still what was opened: size, times, names; nobody tried to write to it; the drive told
    /// of no exchange. Throws Failure (media.changed).
    virtual void expect_unchanged(const OpenMedia& media) = 0;
};

} // namespace um
