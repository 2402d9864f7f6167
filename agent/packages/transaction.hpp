#pragma once
// Which of the media's packages would be installed, and what they take. The package manager decides in the
// end; this reads the same packages, so that space is judged by sizes and not by a guess.

#include "packages/packages.hpp"
#include "packages/space.hpp"

#include <set>
#include <string>
#include <vector>

namespace um {

/// A package file of the media, as far as this needs to know it.
struct OfferedPackage {
    Package package;
    std::string file;
    std::set<std::string> provides; ///< names, without versions
    std::set<std::string> requires_names;
    std::set<std::string> obsoletes;
};

/// Those that an upgrade installs: newer than what is installed, or obsoleting it; and what these require
/// that nothing installed provides.
std::vector<OfferedPackage> selected(const std::vector<OfferedPackage>& offered,
                                     const std::vector<Package>& installed,
                                     const std::set<std::string>& provided);

/// Reads the repository's packages and picks those. Throws SystemFailure.
std::vector<OfferedPackage> transaction(Ports& ports, const std::string& repository,
                                        const std::vector<Package>& installed);

/// Every file of theirs stands beside its old self until rpm renames it, and an old one that is in use or
/// kept stays: so they count in full. A kernel brings an initramfs, made as large as the present one.
/// Throws SystemFailure.
void add_needs(Ports& ports, const std::vector<OfferedPackage>& packages, Volumes& volumes);

/// Bytes of the package files themselves.
std::uint64_t size_of(Appliance& appliance, const std::vector<OfferedPackage>& packages);

} // namespace um
