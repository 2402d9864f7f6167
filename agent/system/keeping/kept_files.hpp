#pragma once
// What a way back consists of: one entry for each path, and where its content is kept.

#include "ports/keeper.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace um {

/// Extended attributes, access control lists and capabilities among them: name and value, sorted.
using Attributes = std::vector<std::pair<std::string, std::string>>;

enum class EntryKind : char { directory = 'D', file = 'F', symlink = 'L', node = 'N' };

/// One path as it was. Sizes are bytes, times nanoseconds since the epoch.
struct Entry {
    EntryKind kind = EntryKind::file;
    std::uint32_t mode = 0; ///< with the type's bits, inode(7)
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;   ///< of a file; the device number of a node
    std::uint32_t flags = 0;  ///< FS_IMMUTABLE_FL and FS_APPEND_FL alone, ioctl_iflags(2)
    std::uint32_t store = 0;  ///< index into KeptFiles::stores
    std::uint64_t number = 0; ///< of its file in the store; 0: none
    bool copied = false;      ///< what is kept is a file of its own, not another name of it
    bool set_aside = false;   ///< what stands in its place later is somebody's data
    std::string text;         ///< SHA-256 of a file; target of a symlink
    std::string same_as;      ///< an earlier path that names the same inode
    Attributes attributes;
    std::string path;
};

struct KeptFiles {
    std::int64_t begun_ns = 0;          ///< when keeping began, nanoseconds since the epoch
    std::vector<std::string> stores;    ///< directories
    std::vector<std::string> trees;     ///< that hold nothing else than what stands here
    std::vector<std::string> databases; ///< those among them whose new content is worth nothing
    std::vector<std::string> excluded;
    std::vector<std::string> absent; ///< paths that were not there, and may be later
    std::vector<Entry> entries;      ///< directories stand before what they hold
};

/// Any path and attribute survives the way; the last line is the SHA-256 of what stands before it.
std::string to_text(const KeptFiles& kept);
/// Throws SystemFailure where the text is not whole.
KeptFiles parse_kept_files(const std::string& text);

} // namespace um
