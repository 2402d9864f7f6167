#pragma once
// One file, directory, symlink or node: looks at it, copies it, and makes it what it was.

#include "base/fd.hpp"
#include "system/keeping/kept_files.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace um {

/// What is at a path now: its entry, and what identifies the file.
struct FileStatus {
    Entry entry; ///< without the digest of a file
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint32_t links = 1;
};

/// Does not follow symlinks. Returns nothing if nothing is there. Sockets count as nodes. Throws
/// SystemFailure.
std::optional<FileStatus> look_at(const std::string& path);

/// Identifies a file as long as it exists.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};

/// Copies the content of a regular file to `to`, which it creates with mode 0600. Shares the content where
/// the file system can, and keeps holes. Syncs nothing. `expected`: the very file that must be read; needed
/// where others than root could exchange a directory on the way to it. Throws SystemFailure.
void copy_file(const std::string& from, const std::string& to, std::optional<FileId> expected = std::nullopt);

/// Gives the path the entry's owner, mode, attributes, flags and time. Does not touch what is right already.
/// Throws SystemFailure.
void give_attributes(const std::string& path, const Entry& entry);

/// Whether everything but the content is the same. Times of symlinks and directories do not count, nor do
/// permissions of symlinks.
bool same_attributes(const Entry& left, const Entry& right);

/// Removes the flags that prevent a file from being renamed or removed. False if there were none.
/// Throws SystemFailure.
bool unprotect(const std::string& path);

/// Renames a file, even if flags protect it. Throws SystemFailure.
void rename_file(const std::string& from, const std::string& to);

/// Removes a file or an empty directory, even if flags protect it. Nothing to remove is no failure.
/// Throws SystemFailure.
void remove_file(const std::string& path);

/// Writes the file system of a directory to disk. Throws SystemFailure.
void sync_file_system(const std::string& path);

} // namespace um
