#pragma once
// What is on a mounted medium: the script, a package repository, or both.

#include "config/config.hpp"
#include "ports/ports.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace um {

struct Content {
    bool repeatable = false;     ///< the media declare that the script may run again after it was cut off
    bool strange_script = false; ///< the script's name is there, but is not a plain file
    bool script = false;         ///< [apply] script is a plain file at the root
    /// The directory that contains repodata/, at the root or one directory below; empty when there is none.
    std::string repository;
    std::vector<std::string> package_files; ///< in the repository, up to two directories deep; no sources
};

/// Looks at the mount point. Throws SystemFailure.
Content read_content(Ports& ports, const Config& config);

/// The declaration at the root of the media, an INI file. `[script] repeat = safe` in it means that the
/// script may run again after it was cut off at any point.
inline constexpr auto declaration_file = "um-upgrade.ini";

/// Script or packages: [apply] method and the medium decide. Throws Failure (media.content) when what that
/// requires is not on the medium.
Method method_for(const Content& content, const Config& config);

std::string_view word(Method method);

} // namespace um
