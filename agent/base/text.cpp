#include "base/text.hpp"

#include <algorithm>

namespace um {
namespace {

/// How many bytes the character at `at` has, by RFC 3629; 0: none begins there.
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
    while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) // within a character
        --limit;
    return text.substr(0, limit);
}

} // namespace um
