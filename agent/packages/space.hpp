#pragma once
// What a change needs of each file system.

#include "ports/appliance.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace um {

/// One file system, and what is wanted of it.
struct Volume {
    std::string mount_point;
    std::uint64_t available = 0;       ///< bytes
    std::uint64_t available_files = 0; ///< inodes
    std::uint64_t needed = 0;          ///< bytes
    std::uint64_t needed_files = 0;
    std::uint64_t kept = 0;       ///< bytes that the way back needs beside that
    std::uint64_t kept_files = 0; ///< inodes
};

/// Adds up needs by file system; directories that do not exist yet count where they will be made.
class Volumes {
public:
    explicit Volumes(Appliance& appliance) : appliance_(appliance) {}

    /// `bytes` of `files` files in a directory. Throws SystemFailure.
    void add(const std::string& directory, std::uint64_t bytes, std::uint64_t files = 0);

    /// The same for what the way back takes.
    void add_kept(const std::string& directory, std::uint64_t bytes, std::uint64_t files);

    std::vector<Volume> list() const;

private:
    std::uint64_t device_of(const std::string& directory);
    Volume& volume_of(const std::string& directory);

    Appliance& appliance_;
    std::map<std::string, std::uint64_t> devices_; ///< of directories, st_dev
    std::map<std::uint64_t, Volume> volumes_;      ///< by st_dev
};

} // namespace um
