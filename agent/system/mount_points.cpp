#include "system/mount_points.hpp"

#include "base/failure.hpp"
#include "base/fd.hpp"
#include "base/path.hpp"

#include <algorithm>
#include <array>
#include <libmount/libmount.h>
#include <string_view>
#include <sys/sysmacros.h>

namespace um {
namespace {

using Table = Handle<libmnt_table, mnt_unref_table>;
using Iterator = Handle<libmnt_iter, mnt_free_iter>;

/// File systems on a disk that have no device number of their own.
constexpr std::array<std::string_view, 4> without_device{"btrfs", "bcachefs", "overlay", "zfs"};
constexpr std::array<std::string_view, 12> virtual_types{"proc",    "sysfs",   "tmpfs",     "devtmpfs",
                                                         "devpts",  "ramfs",   "mqueue",    "cgroup",
                                                         "cgroup2", "tracefs", "hugetlbfs", "efivarfs"};

template <class Types>
bool contains(const Types& types, const std::string& type) {
    return std::find(types.begin(), types.end(), type) != types.end();
}

} // namespace

bool MountPoint::is_virtual() const {
    return contains(virtual_types, type);
}

MountPoints::MountPoints() {
    const Table table(mnt_new_table_from_file("/proc/self/mountinfo"));
    const Iterator iterator(mnt_new_iter(MNT_ITER_FORWARD));
    if (!table || !iterator)
        throw SystemFailure("read '/proc/self/mountinfo'", errno);
    libmnt_fs* fs = nullptr;
    while (mnt_table_next_fs(table.get(), iterator.get(), &fs) == 0) {
        const char* target = mnt_fs_get_target(fs);
        const char* type = mnt_fs_get_fstype(fs);
        if (target == nullptr || type == nullptr)
            continue;
        const auto device = mnt_fs_get_devno(fs);
        MountPoint point{target, type, mnt_fs_match_options(fs, "rw") == 1, true};
        point.lasting = major(device) != 0 || contains(without_device, point.type);
        points_[target] = point; // a path leads to the mount that came last
    }
    points_.try_emplace("/", MountPoint{"/", "unknown", true, true});
}

const MountPoint& MountPoints::of(const std::string& path) const {
    if (const auto found = points_.find(path); found != points_.end())
        return found->second;
    if (auto directory = parent_of(path); last_ == nullptr || directory != last_directory_) {
        last_ = &above(directory);
        last_directory_ = std::move(directory);
    }
    return *last_;
}

const MountPoint& MountPoints::above(const std::string& path) const {
    for (auto at = path;; at = parent_of(at))
        if (const auto found = points_.find(at); found != points_.end())
            return found->second;
}

} // namespace um
