#pragma once
// What a mounted medium holds: the script, a package repository, or both.

#include "config/config.hpp"
#include "ports/ports.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace um {

struct Content {
    bool repeatable = false;     ///< the media declare that the script may run again after it was cut off
    bool strange_script = false; ///< something of that name is no plain file
    bool script = false;         ///< [apply] script, as a plain file at the root
    /// The directory that holds repodata/, at the root or one directory below; empty: none.
    std::string repository;
    std::vector<std::string> package_files; ///< in the repository, up to two directories below it; no sources
};

/// Looks at the mount point. Throws SystemFailure.
Content read_content(Ports& ports, const Config& config);

/// The declaration at the root of the media: an INI file whose `[script] repeat = safe` says that the script
/// may run again after it was cut off at any point.
inline constexpr auto declaration_file = "um-upgrade.ini";

/// Script or packages, as the policy and the medium have it. Throws Failure (media.content) when the medium
/// does not hold what it takes.
Method method_for(const Content& content, const Config& config);

std::string_view word(Method method);

} // namespace um
