#pragma once
// Paths as text. Nothing here looks at a file system.

#include <string>

namespace um {

/// The name without its directories: "dir/a.iso" becomes "a.iso".
std::string base_name(const std::string& path);

/// The directory with a slash at its end: "dir/a.iso" becomes "dir/", and "a.iso" becomes "./".
std::string directory_of(const std::string& path);

/// The directory above, without a slash at its end. The directory above "/a" is "/".
std::string parent_of(const std::string& path);

/// The path of a name in a directory.
std::string path_in(const std::string& directory, const std::string& name);

/// Whether `path` is `directory` or below it.
bool is_within(const std::string& path, const std::string& directory);

/// A glob(7) pattern that matches this path and nothing else.
std::string literally(const std::string& path);

/// Whether a path names a drive. Every path under /dev does; all others name files.
bool is_device(const std::string& path);

/// Whether the name is one of rpm's temporary ones. rpm unpacks into "NAME;5f3a1b2c", and then renames.
bool is_unpacked(const std::string& path);

/// The name that such a file gets in the end.
std::string unpacked_name(const std::string& path);

} // namespace um
