#pragma once
// Compares versions as rpm does (rpmvercmp), so that "newer" means what the package manager means by it.

#include <string_view>

namespace um {

/// Negative when `left` is older than `right`, zero when they are equal, positive when `left` is newer.
int compare_versions(std::string_view left, std::string_view right);

} // namespace um
