#pragma once
// Whole files, read with a limit and replaced durably.

#include "base/fd.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace um {

/// In bytes. Records and configuration are small, so a larger file is not one of ours.
inline constexpr std::size_t record_limit = 1024UL * 1024;

/// Reads a descriptor to its end; messages call it `name`. Throws SystemFailure, also when there are more
/// than `limit` bytes.
std::string read_all(int fd, std::size_t limit, const std::string& name);

/// The file's text; nothing when there is no file. Throws SystemFailure, also for more than `limit` bytes.
std::optional<std::string> read_file_if_there(const std::string& path, std::size_t limit);

/// Writes everything; messages call the descriptor `name`. Throws SystemFailure.
void write_all(int fd, const std::string& text, const std::string& name);

/// Replaces a file: writes a temporary one beside it, syncs that, renames it, and syncs the directory. After
/// a power cut the file is wholly old or wholly new. Its mode is 0600; a missing directory is made with 0700.
/// Throws SystemFailure.
void replace_file(const std::string& path, const std::string& text);

/// Renames a file, and syncs both directories. Throws SystemFailure.
void rename_durably(const std::string& from, const std::string& to);

/// Removes a file, if there is one, and syncs its directory. Throws SystemFailure.
void remove_file_durably(const std::string& path);

/// Makes the directory with `mode`, and what is missing above it with 0755. Throws SystemFailure.
void make_directories(const std::string& path, mode_t mode);

/// Opens a file; O_CLOEXEC and O_NOCTTY are added to `flags`. Throws SystemFailure.
Fd open_file(const std::string& path, int flags, mode_t mode = 0);

} // namespace um
