#pragma once
// The packages that the media offer, with what the agent needs from their headers.

#include "packages/packages.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace um {

struct OfferedFile {
    std::string path;
    std::uint64_t size = 0; ///< bytes
};

/// A package file of the media.
struct OfferedPackage {
    Package package;
    std::string file;                     ///< the package file itself
    std::set<std::string> provides;       ///< names, without versions
    std::set<std::string> requires_names; ///< the same
    std::set<std::string> obsoletes;      ///< the same
    std::vector<OfferedFile> files;       ///< that it would install
};

/// Asks rpm once about each package file. Throws SystemFailure.
std::vector<OfferedPackage> read_offered(Appliance& appliance, const std::vector<std::string>& package_files);

std::vector<Package> packages_of(const std::vector<OfferedPackage>& offered);

/// The names that the packages obsolete. Installed packages with these names may be removed.
std::set<std::string> obsoleted_by(const std::vector<OfferedPackage>& offered);

} // namespace um
