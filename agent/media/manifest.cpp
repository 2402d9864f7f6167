#include "media/manifest.hpp"

#include "base/failure.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace um {
namespace {

struct Algorithm {
    DigestAlgorithm algorithm;
    std::string_view tag; ///< with which OpenSSL and BSD begin a line
    std::size_t digits;
};

constexpr std::array<Algorithm, 4> algorithms{{{DigestAlgorithm::sha1, "SHA1", 40},
                                               {DigestAlgorithm::sha256, "SHA256", 64},
                                               {DigestAlgorithm::sha384, "SHA384", 96},
                                               {DigestAlgorithm::sha512, "SHA512", 128}}};

constexpr std::string_view hexadecimal = "0123456789abcdefABCDEF";

std::string lower(std::string_view text) {
    std::string result(text);
    for (auto& c : result)
        if (c >= 'A' && c <= 'F')
            c = static_cast<char>(c - 'A' + 'a');
    return result;
}

std::string without_dot(const std::string& name) {
    return name.starts_with("./") ? name.substr(2) : name;
}

/// In names with a backslash or a line feed, coreutils writes '\\' and '\n', and it marks the line.
std::optional<std::string> unescape(std::string_view name) {
    std::string result;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '\\') {
            result += name[i];
            continue;
        }
        if (++i == name.size())
            return std::nullopt;
        if (name[i] == '\\')
            result += '\\';
        else if (name[i] == 'n')
            result += '\n';
        else if (name[i] == 'r')
            result += '\r';
        else
            return std::nullopt;
    }
    return result;
}

std::optional<ManifestEntry> entry(const Algorithm& algorithm, std::string_view digest, std::string_view name,
                                   bool escaped) {
    if (digest.size() != algorithm.digits || digest.find_first_not_of(hexadecimal) != std::string_view::npos)
        return std::nullopt;
    const auto plain = escaped ? unescape(name) : std::string(name);
    if (!plain || without_dot(*plain).empty())
        return std::nullopt;
    return ManifestEntry{algorithm.algorithm, lower(digest), without_dot(*plain)};
}

/// `HEX  NAME` and `HEX *NAME`
std::optional<ManifestEntry> coreutils_line(std::string_view line, bool escaped) {
    const auto digits = line.find_first_not_of(hexadecimal);
    if (digits == std::string_view::npos || line.size() < digits + 3)
        return std::nullopt;
    const auto separator = line.substr(digits, 2);
    if (separator != "  " && separator != " *")
        return std::nullopt;
    for (const auto& algorithm : algorithms)
        if (algorithm.digits == digits)
            return entry(algorithm, line.substr(0, digits), line.substr(digits + 2), escaped);
    return std::nullopt;
}

/// `SHA1(NAME)= HEX` and `SHA256 (NAME) = HEX`
std::optional<ManifestEntry> tagged_line(std::string_view line, bool escaped) {
    for (const auto& algorithm : algorithms) {
        auto rest = line;
        if (!rest.starts_with(algorithm.tag))
            continue;
        rest.remove_prefix(algorithm.tag.size());
        if (!rest.empty() && rest.front() == ' ')
            rest.remove_prefix(1);
        const auto close = rest.rfind(')');
        if (rest.empty() || rest.front() != '(' || close == std::string_view::npos)
            continue;
        const auto name = rest.substr(1, close - 1);
        rest.remove_prefix(close + 1);
        for (const std::string_view equals : {" = ", "= "})
            if (rest.starts_with(equals))
                return entry(algorithm, rest.substr(equals.size()), name, escaped);
    }
    return std::nullopt;
}

} // namespace

std::vector<ManifestEntry> parse_manifest(const std::string& text) {
    std::vector<ManifestEntry> entries;
    std::string_view rest = text;
    for (unsigned number = 1; !rest.empty(); ++number) {
        const auto end = std::min(rest.find('\n'), rest.size());
        auto line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!line.empty() && line.back() == '\r')
            line.remove_suffix(1);
        if (line.empty() || line.front() == '#')
            continue;
        const bool escaped = line.front() == '\\';
        if (escaped)
            line.remove_prefix(1);
        auto found = coreutils_line(line, escaped);
        if (!found)
            found = tagged_line(line, escaped);
        if (!found || line.find('\0') != std::string_view::npos)
            throw Failure(
                Reason::manifest_malformed,
                fmt::format("line {} of the manifest is neither a SHA-1 nor a SHA-2 digest of a file",
                            number),
                "download the .mf file again; it must come as the vendor published it");
        entries.push_back(*found);
    }
    return entries;
}

Digests digests_for(const std::vector<ManifestEntry>& entries, const std::string& iso_name) {
    Digests digests;
    for (const auto& entry : entries)
        if (entry.name == iso_name && !digests.emplace(entry.algorithm, entry.digest).second)
            throw Failure(Reason::manifest_duplicate,
                          fmt::format("the manifest gives more than one {} digest for '{}'",
                                      name(entry.algorithm), iso_name),
                          "download the .mf file again; it must name the ISO exactly once");
    if (digests.empty())
        throw Failure(
            Reason::manifest_no_entry, fmt::format("the manifest does not name '{}'", iso_name),
            "put the .mf file that belongs to this ISO beside it, and keep the vendor's file names");
    return digests;
}

} // namespace um
