#pragma once
// Which file system a path is on, as mount(8) tells them apart: links and renames do not cross mounts, not
// even between two of one file system.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace um {

struct MountPoint {
    std::string path;
    std::string type;
    bool writable = true;
    bool lasting = true; ///< on a disk of this machine: what is written is there after a boot
    /// The kernel's own file systems and those in memory: nobody misses what is there after a boot.
    bool is_virtual() const;
};

class MountPoints {
public:
    /// As they are now. Throws SystemFailure.
    MountPoints();
    /// Of a path without links. Most of a directory's paths are asked for one after the other.
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
