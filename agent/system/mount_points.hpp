#pragma once
// Which mount a path is on, as mount(8) distinguishes them. Links and renames do not cross mounts, not even
// between two mounts of one file system.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace um {

struct MountPoint {
    std::string path;
    std::string type;
    bool writable = true;
    bool lasting = true; ///< on a disk of this machine, so its content outlives a boot
    /// True for the kernel's own file systems and those in memory. Nobody misses their content after a boot.
    bool is_virtual() const;
};

class MountPoints {
public:
    /// Reads the mounts as they are now. Throws SystemFailure.
    MountPoints();
    /// The mount of a path without links. Most callers ask for one directory's paths in a row, so the last
    /// answer is remembered.
    const MountPoint& of(const std::string& path) const;
    bool is_mount_point(const std::string& path) const { return points_.count(path) > 0; }
    const std::map<std::string, MountPoint>& all() const { return points_; }

private:
    const MountPoint& above(const std::string& path) const;

    std::map<std::string, MountPoint> points_;
    mutable std::string last_directory_;
    mutable const MountPoint* last_ = nullptr;
};

} // namespace um
