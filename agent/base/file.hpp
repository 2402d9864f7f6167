#pragma once
// Whole files, read with a limit and replaced durably.

#include "base/fd.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace um {

/// Records and configuration are small; whatever is larger is not one of ours. In bytes.
inline constexpr std::size_t record_limit = 1024UL * 1024;

/// Reads all of a descriptor. Throws SystemFailure, also when there are more than `limit` bytes.
std::string read_all(int fd, std::size_t limit, const std::string& name);

/// Nothing when the file does not exist. Throws SystemFailure.
std::optional<std::string> read_file_if_there(const std::string& path, std::size_t limit);

/// Writes everything or throws SystemFailure.
void write_all(int fd, const std::string& text, const std::string& name);

/// Temporary file beside it, fsync, rename, fsync of the directory (created 0700 when missing). After a
/// power cut the file is wholly old or wholly new. Mode 0600. Throws SystemFailure.
void replace_file(const std::string& path, const std::string& text);

/// Renames, and syncs both directories. Throws SystemFailure.
void rename_durably(const std::string& from, const std::string& to);

/// Removes a file, where there is one, and syncs its directory. Throws SystemFailure.
void remove_file_durably(const std::string& path);

/// Makes the directory and what is missing above it. Throws SystemFailure.
void make_directories(const std::string& path, mode_t mode);

/// Opens, or throws SystemFailure. O_CLOEXEC is added.
Fd open_file(const std::string& path, int flags, mode_t mode = 0);

} // namespace um
