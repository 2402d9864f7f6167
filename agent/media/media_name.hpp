#pragma once
// What is in the media's names. None of it is believed before the manifest, which names the ISO, is
// authenticated. A version that only comes from a name may only lead to doing nothing.

#include <optional>
#include <string>

namespace um {

/// `<name>-<version>-<build>_Upgrade.iso`
struct MediaName {
    std::string stem; ///< without the extension
    std::string version;
    std::string build;
    std::string iso() const { return stem + ".iso"; }
};

/// `file_name`: without directories, with the extension `.iso` or `.mf`. Nothing when it does not name an
/// upgrade of `product`.
std::optional<MediaName> parse_media_name(const std::string& file_name, const std::string& product);

} // namespace um
