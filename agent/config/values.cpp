#include "config/values.hpp"

#include "base/failure.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

namespace um::values {

std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> result;
    std::string current;
    bool in_word = false;
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
            in_word = true;
        } else if (!quoted && (c == ' ' || c == '\t')) {
            if (in_word)
                result.push_back(std::exchange(current, {}));
            in_word = false;
        } else {
            current += c;
            in_word = true;
        }
    }
    if (quoted)
        throw InvalidValue("a closing '\"'");
    if (in_word)
        result.push_back(current);
    return result;
}

std::string absolute(const std::string& text) {
    if (text.empty() || text.front() != '/')
        throw InvalidValue("a path that begins with '/'");
    return text;
}

std::string plain_path(const std::string& text) {
    auto path = std::filesystem::path(absolute(text)).lexically_normal().string();
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
}

std::string some_text(const std::string& text) {
    if (text.empty())
        throw InvalidValue("some text");
    return text;
}

std::vector<std::string> some_words(const std::string& text) {
    auto result = words(text);
    if (result.empty())
        throw InvalidValue("at least one word");
    return result;
}

std::chrono::seconds duration(const std::string& text) {
    std::uint32_t count = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"s", 1}, {"", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    constexpr std::int64_t ten_years = 3650 * 86400LL; // clocks in nanoseconds overflow after 292 years
    for (const auto& [name, seconds] : units)
        if (parsed.ec == std::errc{} && name == unit && count > 0 && count <= ten_years / seconds)
            return std::chrono::seconds(count * seconds);
    throw InvalidValue("a time such as 30s, 10min, 24h or 7d, and ten years at most");
}

std::chrono::seconds pause_of_work(const std::string& text) {
    const auto time = duration(text);
    if (time < std::chrono::minutes(1)) // "30" was surely meant as minutes
        throw InvalidValue("at least 1min: package managers fall silent while they work");
    return time;
}

std::string unit_name(const std::string& text) {
    const auto dot = text.rfind('.');
    if (dot == std::string::npos || dot == 0 || text.find('/') != std::string::npos)
        throw InvalidValue("a unit's full name, such as sshd.service");
    return text;
}

std::string file_name(const std::string& text) {
    if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos)
        throw InvalidValue("a file name without directories");
    return text;
}

std::vector<std::string> unit_names(const std::string& text) {
    auto result = words(text);
    for (const auto& name : result)
        unit_name(name);
    return result;
}

std::vector<std::string> patterns(const std::string& text) {
    auto result = some_words(text);
    for (const auto& pattern : result)
        absolute(pattern);
    return result;
}

/// The root as a whole cannot be put back under a system that runs from it.
std::vector<std::string> trees(const std::string& text) {
    auto result = words(text);
    for (auto& path : result) {
        path = plain_path(path);
        if (path == "/")
            throw InvalidValue("directories below '/', such as /etc");
    }
    return result;
}

std::vector<std::string> signers(const std::string& text) {
    constexpr std::string_view prefix = "sha256:";
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    std::vector<std::string> result;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('|', begin), text.size());
        auto one = text.substr(begin, end - begin);
        begin = end + 1;
        one.erase(0, one.find_first_not_of(" \t"));
        one.erase(one.find_last_not_of(" \t") + 1);
        if (one.empty() && !text.empty())
            throw InvalidValue("signers parted by single '|'");
        const auto is_digit = [&](char c) { return digits.find(c) != std::string_view::npos; };
        if (one.rfind(prefix, 0) == 0 &&
            (std::count_if(one.begin() + prefix.size(), one.end(), is_digit) != 64 ||
             one.find_first_not_of("0123456789abcdefABCDEF:", prefix.size()) != std::string::npos))
            throw InvalidValue("'sha256:' and the 64 hexadecimal digits of a fingerprint");
        if (!one.empty())
            result.push_back(std::move(one));
    }
    return result;
}

std::string certificate_source(const std::string& text) {
    constexpr std::string_view scheme = "tls://";
    const InvalidValue wrong("tls://HOST:PORT, or the path of a PEM file, which begins with '/'");
    if (text.rfind(scheme, 0) != 0) {
        if (text.empty() || text.front() != '/')
            throw wrong;
        return text;
    }
    const auto colon = text.rfind(':');
    unsigned port = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    if (colon <= scheme.size() || parsed.ec != std::errc{} || parsed.ptr != end || port == 0 || port > 65535)
        throw wrong;
    return text;
}

} // namespace um::values
