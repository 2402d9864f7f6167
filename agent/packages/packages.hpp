#pragma once
// Packages as rpm knows them: what the media bring, what is installed, and whether the one has become the
// other. Exit status 0 of a package manager is not success: failed scriptlets and half a transaction hide
// behind it.

#include "ports/appliance.hpp"

#include <set>
#include <string>
#include <vector>

namespace um {

struct Package {
    std::string name;
    std::string epoch; ///< "0" where there is none
    std::string version;
    std::string release;
    std::string arch;
    std::string version_release() const { return version + "-" + release; }
    bool operator==(const Package&) const = default;
};

/// As rpm compares: epoch, version, release.
int compare(const Package& left, const Package& right);

/// Whether the one replaces the other: a package may become independent of the processor, or cease to be.
bool is_same_place(const Package& left, const Package& right);

/// name-version-release.arch, as rpm and package managers take it.
std::string full_name(const Package& package);

/// One line for each package; other lines, such as rpm's warnings, are passed over.
std::vector<Package> parse_packages(const std::string& text);
std::string to_text(const std::vector<Package>& packages);
/// Of a file that holds to_text(); none where there is no file. Throws SystemFailure.
std::vector<Package> read_packages(const std::string& path);

/// One package on one line, in rpm's query format; parse_packages() reads it back. A macro, because longer
/// formats are made of it.
#define UM_PACKAGE_FORMAT "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}\n"

/// What rpm prints of package files, or of every installed package, in its query format. Throws
/// SystemFailure, also for a database that cannot be read.
std::string query_files(Appliance& appliance, const std::vector<std::string>& files, const char* format);
std::string query_installed(Appliance& appliance, const char* format);

/// What is installed.
struct InstalledPackages {
    std::vector<Package> packages;
    std::set<std::string> side_by_side; ///< names of which several versions may stay installed: kernels
};

/// One sentence for each package of the media that is installed, but not at the media's version or a newer
/// one; for each that is installed twice; and for each that was installed before and is not there any more: a
/// damaged database loses packages without a word. Empty when the change is whole.
std::vector<std::string> shortcomings(const std::vector<Package>& media, const std::vector<Package>& before,
                                      const InstalledPackages& appliance);

/// One sentence for each package that is installed more often than it may be.
std::vector<std::string> duplicates(const InstalledPackages& appliance);

/// Those of `packages` that are not in `others`.
std::vector<Package> not_in(const std::vector<Package>& others, const std::vector<Package>& packages);

/// Those that stand in both.
std::vector<Package> common(const std::vector<Package>& left, const std::vector<Package>& right);

std::vector<Package> without(const std::set<std::string>& names, std::vector<Package> packages);

/// Asks rpm. Throws SystemFailure, also for a database that cannot be read.
InstalledPackages installed_packages(Appliance& appliance);

/// Files that these installed packages should have and have not, but for configuration and documentation,
/// which operators remove: a transaction that was cut off leaves such holes.
std::vector<std::string> missing_files(Appliance& appliance, const std::vector<Package>& packages);

/// One sentence for each of these installed packages that another one obsoletes and should have taken the
/// place of: a transaction that was cut off between the two leaves both.
std::vector<std::string> left_obsolete(Appliance& appliance, const std::vector<Package>& packages);

} // namespace um
