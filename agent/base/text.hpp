#pragma once
// Takes apart texts of programs, files and strangers, and makes them fit for journals, logs and terminals.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace um {

/// Each byte that belongs to no character becomes U+FFFD. Otherwise journalctl would show the field as a
/// blob, and a program that reads a log might stop there.
std::string as_utf8(const std::string& raw);

/// The first `limit` bytes at most, without half a character at the end.
std::string cut(std::string text, std::size_t limit);

/// One line of at most `limit` bytes. Control characters become spaces, because a terminal would obey them.
std::string printable(std::string text, std::size_t limit);

/// The lines of a text, without their line feeds.
std::vector<std::string> lines_of(const std::string& text);

/// One text of all lines, with a line feed after each.
std::string to_lines(const std::vector<std::string>& lines);

/// The text without these characters at its ends.
std::string trimmed(std::string_view text, std::string_view characters = " \t\r\n");

/// MiB or GiB with one digit after the point, such as "214.3 MiB". An operator needs no more digits.
std::string human_size(std::uint64_t bytes);

} // namespace um
