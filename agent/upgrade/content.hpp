#pragma once
// What a mounted medium holds: the script, a package repository, or both.

#include "config.hpp"
#include "upgrade/ports.hpp"

#include <string>

namespace um {

struct Content {
    bool script = false; ///< [apply] script, as a plain file at the root
    std::string
        repository; ///< the directory that holds repodata/, at the root or one folder down; empty: none
};

Content content_of(Ports& ports, const Config& config);

/// Script or packages, as the policy and the medium have it. Throws Failure (media.content) when the medium
/// does not hold what it takes.
Method method_for(const Content& content, const Config& config);

} // namespace um
