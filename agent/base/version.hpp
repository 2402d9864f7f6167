#pragma once
// Versions compared as rpm compares them (rpmvercmp), so that "newer" means what the package manager means.

#include <string_view>

namespace um {

/// Negative, zero or positive as `left` is older than, equal to or newer than `right`.
int compare_versions(std::string_view left, std::string_view right);

} // namespace um
