#pragma once
// The list of kept files: one entry for each path, with the place where its content is kept.

#include "ports/keeper.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace um {

/// Extended attributes, including access control lists and capabilities, as sorted pairs of name and value.
using Attributes = std::vector<std::pair<std::string, std::string>>;

enum class EntryKind : char { directory = 'D', file = 'F', symlink = 'L', node = 'N' };

/// One path as it was. Sizes are in bytes. Times are in nanoseconds since the epoch.
struct Entry {
    EntryKind kind = EntryKind::file;
    std::uint32_t mode = 0; ///< including the file type's bits, inode(7)
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;   ///< of a file; the device number of a node
    std::uint32_t flags = 0;  ///< only FS_IMMUTABLE_FL and FS_APPEND_FL, ioctl_iflags(2)
    std::uint32_t store = 0;  ///< index into KeptFiles::stores
    std::uint64_t number = 0; ///< of its file in the store; 0: none
    bool copied = false;      ///< the kept file is a copy, not another name of the file
    bool set_aside = false;   ///< what a rollback finds in its place is somebody's data
    std::string text;         ///< SHA-256 of a file; target of a symlink
    std::string same_as;      ///< an earlier path that names the same inode
    Attributes attributes;
    std::string path;
};

struct KeptFiles {
    std::int64_t begun_ns = 0;          ///< when keeping began, nanoseconds since the epoch
    std::vector<std::string> stores;    ///< directories
    std::vector<std::string> trees;     ///< they held nothing but what is listed here
    std::vector<std::string> databases; ///< trees in which new content is worth nothing
    std::vector<std::string> excluded;
    std::vector<std::string> absent; ///< paths that did not exist, and that the change may add
    std::vector<Entry> entries;      ///< a directory comes before what is in it
};

/// Preserves any path and any attribute. The last line holds the SHA-256 of everything before it.
std::string to_text(const KeptFiles& kept);
/// Throws SystemFailure if the text is not whole, or if a line is unexpected.
KeptFiles parse_kept_files(const std::string& text);

} // namespace um
