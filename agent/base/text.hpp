#pragma once
// Texts of programs, files and strangers: taken apart, and made fit for journals, logs and terminals.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace um {

/// Each byte that belongs to no character becomes U+FFFD. Otherwise journalctl shows the field as a blob, and
/// a log's reader may stop there.
std::string as_utf8(const std::string& raw);

/// At most `limit` bytes, without half a character at the end.
std::string cut(std::string text, std::size_t limit);

/// One line without control characters, which a terminal would obey; at most `limit` bytes.
std::string printable(std::string text, std::size_t limit);

/// The lines of a text, without their line feeds.
std::vector<std::string> lines_of(const std::string& text);

/// One line feed behind each.
std::string to_lines(const std::vector<std::string>& lines);

/// Without these characters at its ends.
std::string trimmed(std::string_view text, std::string_view characters = " \t\r\n");

/// "214.3 MiB": an operator needs no more digits.
std::string human_size(std::uint64_t bytes);

} // namespace um
