#include "base/ini.hpp"

#include <ini.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace um {
namespace {

constexpr std::size_t longest_line = INI_MAX_LINE - 2; // inih's buffer also holds the line feed and a NUL
constexpr std::size_t longest_name = 49;               // inih compares and keeps 49 bytes of a name

struct Reading {
    std::string_view text;
    Continuation continuation;
    unsigned line = 0;
    bool indented = false;
    std::vector<IniEntry> entries{};
    std::optional<IniError> error{};

    void fail(const std::string& what) {
        if (!error)
            error.emplace(line, what);
    }
};

/// An indented line that looks like `key = value` was hardly meant to continue the value above.
bool looks_like_a_key(std::string_view value) {
    const auto name_end = value.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789");
    const auto equals =
        name_end == std::string_view::npos ? name_end : value.find_first_not_of(' ', name_end);
    return name_end > 0 && equals != std::string_view::npos && value[equals] == '=';
}

/// inih would take "[section] key = value" for the section alone.
bool follows_a_name(std::string_view line) {
    const auto end = line.find(']');
    if (line.empty() || line.front() != '[' || end == std::string_view::npos)
        return false;
    const auto more = line.find_first_not_of(" \t\r", end + 1);
    return more != std::string_view::npos && line[more] != '#' && line[more] != ';';
}

char* next_line(char* buffer, int size, void* stream) {
    auto& reading = *static_cast<Reading*>(stream);
    if (reading.text.empty())
        return nullptr;
    ++reading.line;
    const auto end = reading.text.find('\n');
    auto line = reading.text.substr(0, end);
    reading.text.remove_prefix(end == std::string_view::npos ? reading.text.size() : end + 1);
    if (line.find('\0') != std::string_view::npos)
        reading.fail("the line holds a NUL byte");
    if (line.size() > longest_line) {
        reading.fail("the line is longer than " + std::to_string(longest_line) +
                     " bytes; continue the value on further lines that begin with a space");
        line = line.substr(0, longest_line);
    }
    if (!line.empty() && line.front() == '[' && line.find(']') > longest_name + 1)
        reading.fail("the section's name does not end, or is longer than " + std::to_string(longest_name) +
                     " bytes");
    if (follows_a_name(line))
        reading.fail("nothing but a comment may follow the section's name; a key begins a new line");
    reading.indented = !line.empty() && (line.front() == ' ' || line.front() == '\t');
    const auto length = std::min(line.size(), static_cast<std::size_t>(size) - 2);
    std::memcpy(buffer, line.data(), length);
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

int take_entry(void* user, const char* section, const char* name, const char* value) {
    auto& reading = *static_cast<Reading*>(user);
    try { // an exception must not cross inih
        const std::string text = value != nullptr ? value : "";
        if (!reading.indented) {
            reading.entries.push_back({section, name, text, reading.line});
            return 1;
        }
        const bool tight = reading.continuation == Continuation::joined_tightly;
        const bool goes_on = !reading.entries.empty() && reading.entries.back().section == section &&
                             reading.entries.back().name == name;
        if (!goes_on || (!tight && looks_like_a_key(text)))
            reading.fail("an indented line continues the value above; a key begins in the first column");
        else
            reading.entries.back().value += (tight ? "" : " ") + text;
    } catch (...) {
        return 0;
    }
    return 1;
}

} // namespace

std::vector<IniEntry> parse_ini(const std::string& text, Continuation continuation) {
    Reading reading{text, continuation};
    const int bad_line = ini_parse_stream(next_line, &reading, take_entry, &reading);
    if (reading.error)
        throw IniError(*reading.error);
    if (bad_line != 0)
        throw IniError(bad_line > 0 ? static_cast<unsigned>(bad_line) : 0,
                       "neither '[section]' nor 'key = value' nor a comment");
    return std::move(reading.entries);
}

} // namespace um
