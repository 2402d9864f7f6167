#pragma once
// Which of the media's packages would be installed, and what they take. The package manager decides in the
// end; this reads the same packages, so that space is judged by sizes and not by a guess.

#include "packages/offered.hpp"
#include "packages/space.hpp"
#include "ports/ports.hpp"

#include <set>
#include <string>
#include <vector>

namespace um {

/// Those that an upgrade installs: newer than what is installed, or obsoleting it; and what these require
/// that nothing installed provides.
std::vector<OfferedPackage> selected(const std::vector<OfferedPackage>& offered,
                                     const std::vector<Package>& installed,
                                     const std::set<std::string>& provided);

/// Asks rpm what is provided, and picks those. Throws SystemFailure.
std::vector<OfferedPackage> transaction(Appliance& appliance, const std::vector<OfferedPackage>& offered,
                                        const std::vector<Package>& installed);

/// Every file of theirs stands beside its old self until rpm renames it, and an old one that is in use or
/// kept stays: so they count in full. A kernel brings an initramfs, made as large as the present one.
/// Throws SystemFailure.
void add_needs(Ports& ports, const std::vector<OfferedPackage>& packages, Volumes& volumes);

/// Bytes of the package files themselves.
std::uint64_t size_of(Appliance& appliance, const std::vector<OfferedPackage>& packages);

} // namespace um
