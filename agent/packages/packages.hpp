#pragma once
// Packages as rpm knows them: what the media bring, what is installed, and whether what the media bring is
// installed now. Exit status 0 of a package manager is not success, because it hides failed scriptlets and
// half a transaction.

#include "ports/appliance.hpp"

#include <set>
#include <string>
#include <vector>

namespace um {

struct Package {
    std::string name;
    std::string epoch; ///< "0" when there is none
    std::string version;
    std::string release;
    std::string arch;
    std::string version_release() const { return version + "-" + release; }
    bool operator==(const Package&) const = default;
};

/// Negative, zero or positive. Compares epoch, version and release, as rpm does.
int compare(const Package& left, const Package& right);

/// Whether one can replace the other. "noarch" fits every architecture, because a package may become
/// independent of the processor, or cease to be.
bool is_same_place(const Package& left, const Package& right);

/// name-version-release.arch, which rpm and package managers accept.
std::string full_name(const Package& package);

/// Reads one line for each package, in UM_PACKAGE_FORMAT. Other lines, such as rpm's warnings, are skipped.
std::vector<Package> parse_packages(const std::string& text);
std::string to_text(const std::vector<Package>& packages);
/// Reads a file that contains to_text(); none when there is no file. Throws SystemFailure.
std::vector<Package> read_packages(const std::string& path);

/// rpm's query format for one package on one line; parse_packages() reads it back. It is a macro because
/// longer formats are made of it.
#define UM_PACKAGE_FORMAT "%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}\n"

/// rpm's output about package files, or about every installed package, in the query format `format`. Throws
/// SystemFailure, also for a database that cannot be read.
std::string query_files(Appliance& appliance, const std::vector<std::string>& files, const char* format);
std::string query_installed(Appliance& appliance, const char* format);

/// What is installed.
struct InstalledPackages {
    std::vector<Package> packages;
    std::set<std::string> side_by_side; ///< names that may stay installed in several versions: kernels
};

/// One sentence for each package of the media that is installed, but older than on the media; for each that
/// is installed twice; and for each that was installed before and is gone, because a damaged database
/// silently loses packages. Empty when the change is complete. `before`: packages that may not be gone.
std::vector<std::string> shortcomings(const std::vector<Package>& media, const std::vector<Package>& before,
                                      const InstalledPackages& appliance);

/// One sentence for each package that is installed more often than it may be.
std::vector<std::string> duplicates(const InstalledPackages& appliance);

/// Those of `packages` that are not in `others`.
std::vector<Package> not_in(const std::vector<Package>& others, const std::vector<Package>& packages);

/// Those that are in both.
std::vector<Package> common(const std::vector<Package>& left, const std::vector<Package>& right);

/// Those of `packages` that have none of these names.
std::vector<Package> without(const std::set<std::string>& names, std::vector<Package> packages);

/// Asks rpm. Throws SystemFailure, also for a database that cannot be read.
InstalledPackages installed_packages(Appliance& appliance);

/// Files of these installed packages that are missing, as a transaction that was cut off leaves them.
/// Configuration and documentation do not count, because operators remove them. Throws SystemFailure.
std::vector<std::string> missing_files(Appliance& appliance, const std::vector<Package>& packages);

/// One sentence for each of these installed packages that another one obsoletes and should have replaced. A
/// transaction that was cut off between the two leaves both. Throws SystemFailure.
std::vector<std::string> left_obsolete(Appliance& appliance, const std::vector<Package>& packages);

} // namespace um
