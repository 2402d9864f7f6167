#include "media/media_name.hpp"

#include <string_view>

namespace um {
namespace {

constexpr std::string_view suffix = "_Upgrade";
constexpr std::string_view plain_characters =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~^+";

bool plain(std::string_view text) {
    return !text.empty() && text.find_first_not_of(plain_characters) == std::string_view::npos;
}

} // namespace

std::optional<MediaName> parse_media_name(const std::string& file_name, const std::string& product) {
    const auto dot = file_name.rfind('.');
    if (dot == std::string::npos)
        return std::nullopt;
    std::string_view rest(file_name);
    rest = rest.substr(0, dot);
    const auto prefix = product + "-";
    if (!rest.starts_with(prefix) || rest.size() < prefix.size() + suffix.size())
        return std::nullopt;
    rest.remove_prefix(prefix.size());
    if (!rest.ends_with(suffix))
        return std::nullopt;
    rest.remove_suffix(suffix.size());
    const auto dash = rest.rfind('-');
    if (dash == std::string_view::npos)
        return std::nullopt;
    MediaName result{file_name.substr(0, dot), std::string(rest.substr(0, dash)),
                     std::string(rest.substr(dash + 1))};
    if (!plain(result.version) || !plain(result.build))
        return std::nullopt;
    return result;
}

} // namespace um
