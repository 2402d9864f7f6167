#pragma once
// What a change needs of each file system.

#include "ports/appliance.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace um {

/// One file system, and what is required of it.
struct Volume {
    std::string mount_point;
    std::uint64_t available = 0;       ///< bytes
    std::uint64_t available_files = 0; ///< inodes
    std::uint64_t needed = 0;          ///< bytes
    std::uint64_t needed_files = 0;    ///< inodes
    std::uint64_t kept = 0;            ///< bytes that the kept files need in addition
    std::uint64_t kept_files = 0;      ///< inodes
};

/// Adds up needs by file system. A directory that does not exist yet counts where it will be made.
class Volumes {
public:
    explicit Volumes(Appliance& appliance) : appliance_(appliance) {}

    /// Adds what `files` new files with `bytes` need in a directory. Throws SystemFailure.
    void add(const std::string& directory, std::uint64_t bytes, std::uint64_t files = 0);

    /// The same for what the kept files need. Throws SystemFailure.
    void add_kept(const std::string& directory, std::uint64_t bytes, std::uint64_t files);

    std::vector<Volume> list() const;

private:
    std::uint64_t device_of(const std::string& directory);
    Volume& volume_of(const std::string& directory);

    Appliance& appliance_;
    std::map<std::string, std::uint64_t> devices_; ///< st_dev of directories
    std::map<std::uint64_t, Volume> volumes_;      ///< by st_dev
};

} // namespace um
