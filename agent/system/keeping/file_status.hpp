#pragma once
// One file, directory, link or node: what it is, making another one like it, and making it what it was.

#include "base/fd.hpp"
#include "system/keeping/kept_files.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace um {

/// What stands at a path now, beside what an Entry tells.
struct FileStatus {
    Entry entry; ///< without the digest of a file
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint32_t links = 1;
};

/// Links are not followed. Nothing where there is nothing; sockets are seen as nodes. Throws SystemFailure.
std::optional<FileStatus> look_at(const std::string& path);

/// A regular file's content into a new file, 0600: shared where the file system can, holes stay holes.
/// Nothing of what is there is synced. `expected`: what must be read is this very file, where others than
/// root could exchange a directory on the way to it. Throws SystemFailure.
struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
};
void copy_file(const std::string& from, const std::string& to, std::optional<FileId> expected = std::nullopt);

/// Owner, mode, attributes, flags and time of what stands at the path become the entry's; what is so already
/// is not touched. Throws SystemFailure.
void give_attributes(const std::string& path, const Entry& entry);

/// The same but for the content.
bool same_attributes(const Entry& left, const Entry& right);

/// Takes the flags away that keep a file from being renamed or removed; false where there are none.
bool unprotect(const std::string& path);

/// Renames, also what is protected by flags. Throws SystemFailure.
void rename_file(const std::string& from, const std::string& to);

/// Removes a file or an empty directory, protected or not. Throws SystemFailure.
void remove_file(const std::string& path);

/// Writes the file system of the path to disk. Throws SystemFailure.
void sync_file_system(const std::string& path);

} // namespace um
