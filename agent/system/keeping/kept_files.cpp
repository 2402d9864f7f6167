#include "system/keeping/kept_files.hpp"

#include "base/failure.hpp"
#include "base/sha256.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

namespace um {
namespace {

constexpr std::string_view heading = "um-upgrade way back 1\n";
constexpr std::string_view ending = "whole ";
constexpr char hexadecimal[] = "0123456789abcdef";

/// Tabs, line feeds, equals signs and commas are separators, so they are escaped in names and values.
bool is_escaped(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == '%' || byte == 0x7f || byte == '=' || byte == ',';
}

void append_escaped(std::string& line, std::string_view text) {
    for (;;) {
        const auto* const special = std::find_if(text.begin(), text.end(), is_escaped);
        line.append(text.begin(), special);
        if (special == text.end())
            return;
        const auto byte = static_cast<unsigned char>(*special);
        line += '%';
        line += hexadecimal[byte >> 4U];
        line += hexadecimal[byte & 15U];
        text.remove_prefix(static_cast<std::size_t>(special - text.begin()) + 1);
    }
}

template <class Number>
Number number(std::string_view text, int base = 10) {
    Number value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        throw SystemFailure(fmt::format("'{}' is no number", text));
    return value;
}

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        result += static_cast<char>(number<unsigned>(text.substr(i + 1, 2), 16));
        i += 2;
    }
    return result;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(separator, begin), text.size());
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

void append(std::string& line, const Attributes& attributes) {
    bool first = true;
    for (const auto& [name, value] : attributes) {
        if (!std::exchange(first, false))
            line += ',';
        append_escaped(line, name);
        line += '=';
        append_escaped(line, value);
    }
}

Attributes parse_attributes(std::string_view text) {
    Attributes attributes;
    if (text.empty())
        return attributes;
    for (const auto one : split(text, ',')) {
        const auto mark = one.find('=');
        if (mark == std::string_view::npos)
            throw SystemFailure("an attribute without a value");
        attributes.emplace_back(unescape(one.substr(0, mark)), unescape(one.substr(mark + 1)));
    }
    return attributes;
}

constexpr std::size_t entry_fields = 13;
constexpr unsigned aside_mark = 1;
constexpr unsigned copied_mark = 2;

void append(std::string& text, const Entry& entry) {
    fmt::format_to(std::back_inserter(text), "{}\t{:o}\t{}\t{}\t{}\t{}\t{:x}\t{}\t{}\t{}\t",
                   static_cast<char>(entry.kind), entry.mode, entry.uid, entry.gid, entry.modified_ns,
                   entry.size, entry.flags, entry.store, entry.number,
                   (entry.set_aside ? aside_mark : 0U) | (entry.copied ? copied_mark : 0U));
    append_escaped(text, entry.text);
    text += '\t';
    append_escaped(text, entry.same_as);
    text += '\t';
    append(text, entry.attributes);
    text += '\t';
    append_escaped(text, entry.path);
    text += '\n';
}

Entry parse_entry(const std::vector<std::string_view>& fields) {
    if (fields.size() != entry_fields + 1)
        throw SystemFailure("an entry of another shape");
    Entry entry;
    entry.kind = static_cast<EntryKind>(fields[0].front());
    entry.mode = number<std::uint32_t>(fields[1], 8);
    entry.uid = number<std::uint32_t>(fields[2]);
    entry.gid = number<std::uint32_t>(fields[3]);
    entry.modified_ns = number<std::int64_t>(fields[4]);
    entry.size = number<std::uint64_t>(fields[5]);
    entry.flags = number<std::uint32_t>(fields[6], 16);
    entry.store = number<std::uint32_t>(fields[7]);
    entry.number = number<std::uint64_t>(fields[8]);
    entry.set_aside = (number<unsigned>(fields[9]) & aside_mark) != 0;
    entry.copied = (number<unsigned>(fields[9]) & copied_mark) != 0;
    entry.text = unescape(fields[10]);
    entry.same_as = unescape(fields[11]);
    entry.attributes = parse_attributes(fields[12]);
    entry.path = unescape(fields[13]);
    return entry;
}

/// One list of paths: the word that begins its lines, and the member that holds the paths.
struct List {
    std::string_view word;
    std::vector<std::string> KeptFiles::*paths;
};

constexpr std::string_view begun = "begun";

constexpr List lists[] = {{"store", &KeptFiles::stores},
                          {"tree", &KeptFiles::trees},
                          {"database", &KeptFiles::databases},
                          {"excluded", &KeptFiles::excluded},
                          {"absent", &KeptFiles::absent}};

void parse_line(KeptFiles& kept, std::string_view line) {
    const auto fields = split(line, '\t');
    if (fields[0].size() == 1)
        return kept.entries.push_back(parse_entry(fields));
    for (const auto& list : lists)
        if (fields.size() == 2 && fields[0] == list.word)
            return (kept.*list.paths).push_back(unescape(fields[1]));
    if (fields.size() == 2 && fields[0] == begun) {
        kept.begun_ns = number<std::int64_t>(fields[1]);
        return;
    }
    throw SystemFailure(fmt::format("the line '{}' is unexpected", line.substr(0, 100)));
}

} // namespace

std::string to_text(const KeptFiles& kept) {
    auto text = fmt::format("{}{}\t{}\n", heading, begun, kept.begun_ns);
    for (const auto& list : lists)
        for (const auto& path : kept.*list.paths) {
            text.append(list.word).append("\t");
            append_escaped(text, path);
            text += '\n';
        }
    for (const auto& entry : kept.entries)
        append(text, entry);
    const auto digest = sha256_of(text);
    return text.append(ending).append(digest).append("\n");
}

KeptFiles parse_kept_files(const std::string& text) {
    const auto last = text.rfind(ending);
    if (text.rfind(heading, 0) != 0 || last == std::string::npos ||
        text.substr(last) != fmt::format("{}{}\n", ending, sha256_of(text.substr(0, last))))
        throw SystemFailure("the list of what was kept is not whole");
    KeptFiles kept;
    auto rest = std::string_view(text).substr(0, last).substr(heading.size());
    while (!rest.empty()) {
        const auto end = std::min(rest.find('\n'), rest.size());
        parse_line(kept, rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    for (const auto& entry : kept.entries)
        if (entry.path.empty() || entry.path.front() != '/' ||
            (entry.number != 0 && entry.store >= kept.stores.size()))
            throw SystemFailure(fmt::format("the entry '{}' is unexpected", entry.path));
    return kept;
}

} // namespace um
