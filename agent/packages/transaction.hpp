#pragma once
// Which of the media's packages would be installed, and what they need. The package manager decides in the
// end. This reads the same packages, so that sizes decide about space, and not a guess.

#include "packages/offered.hpp"
#include "packages/space.hpp"
#include "ports/ports.hpp"

#include <set>
#include <string>
#include <vector>

namespace um {

/// The packages that an upgrade installs: those that are newer than an installed one, or obsolete it; and
/// what these require, unless it is in `provided`: the names that the installed packages provide.
std::vector<OfferedPackage> selected(const std::vector<OfferedPackage>& offered,
                                     const std::vector<Package>& installed,
                                     const std::set<std::string>& provided);

/// Asks rpm what is provided, and selects. Throws SystemFailure.
std::vector<OfferedPackage> transaction(Appliance& appliance, const std::vector<OfferedPackage>& offered,
                                        const std::vector<Package>& installed);

/// Counts every file in full: it is beside the old one until rpm renames it, and an old one that is in use or
/// kept stays. A kernel brings an initramfs, which counts as large as the largest present one. Throws
/// SystemFailure.
void add_needs(Ports& ports, const std::vector<OfferedPackage>& packages, Volumes& volumes);

/// The bytes of the package files themselves. Throws SystemFailure.
std::uint64_t size_of(Appliance& appliance, const std::vector<OfferedPackage>& packages);

} // namespace um
