#include "base/text.hpp"

#include "base/failure.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace um {
namespace {

/// How many bytes the character at `at` has (RFC 3629); 0 when none begins there.
std::size_t character_at(const std::string& text, std::size_t at) {
    const auto byte = [&](std::size_t offset) {
        return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
    };
    const auto first = byte(0);
    if (first < 0x80)
        return 1;
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    for (std::size_t offset = 1; offset < length; ++offset)
        if ((byte(offset) & 0xC0) != 0x80)
            return 0;
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool none = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
    return overlong || none ? 0 : length;
}

} // namespace

std::string as_utf8(const std::string& raw) {
    std::string result;
    for (std::size_t at = 0; at < raw.size();) {
        const auto length = character_at(raw, at);
        result += length > 0 ? raw.substr(at, length) : "\uFFFD";
        at += std::max<std::size_t>(length, 1);
    }
    return result;
}

std::string cut(std::string text, std::size_t limit) {
    if (text.size() <= limit)
        return text;
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) // inside a character
        --limit;
    return text.substr(0, limit);
}

std::string printable(std::string text, std::size_t limit) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return cut(std::move(text), limit);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

std::string to_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
        text += line + "\n";
    return text;
}

std::string trimmed(std::string_view text, std::string_view characters) {
    const auto first = text.find_first_not_of(characters);
    if (first == std::string_view::npos)
        return {};
    return std::string(text.substr(first, text.find_last_not_of(characters) - first + 1));
}

std::string human_size(std::uint64_t bytes) {
    constexpr double mebibyte = 1024.0 * 1024.0;
    const auto size = static_cast<double>(bytes) / mebibyte;
    return size < 1024 ? fmt::format("{:.1f} MiB", size) : fmt::format("{:.1f} GiB", size / 1024);
}

} // namespace um
