#pragma once
// A transaction that was cut off: rpm cannot take it up again, but it can be made once more. First the
// picture is put right that the next transaction would go by.

#include "packages/database.hpp"
#include "packages/offered.hpp"

#include <string>
#include <vector>

namespace um {

/// The older ones of packages of the media that are installed twice: the new one was unpacked, the old one
/// not yet erased.
std::vector<Package> leftovers(const std::vector<Package>& media, const InstalledPackages& appliance);

/// Erases them, without their scripts: those ran, or will run when the new package is installed once more.
/// Files that the new package owns as well stay. Throws Failure (packages.damaged).
void erase(Appliance& appliance, const std::vector<Package>& packages, const Say& say);

/// Forgets packages that were not installed before the change: their files stay, and installing them again
/// runs their scripts as for the first time ($1 = 1, which is what enables a service). Throws Failure
/// (packages.damaged).
void forget(Appliance& appliance, const std::vector<Package>& packages, const Say& say);

/// Puts aside configuration of these package files that was cut off as rpm wrote it: its content is not the
/// package's, its modification time is, whether the package itself came into the database or not. rpm would
/// take it for an operator's and keep it; an operator's has another time. It stays beside, under its name
/// with `suffix`, over nobody else's file. Throws SystemFailure.
void put_damaged_configuration_aside(Appliance& appliance, const std::vector<std::string>& files,
                                     const std::string& suffix, const Say& say);

/// Removes what rpm was writing when it was cut off: it unpacks into `PATH;XXXXXXXX`, eight hexadecimal
/// digits, and renames. Nobody else ever does, and a directory of configuration may read whatever stands in
/// it.
void remove_unpacked(const std::vector<OfferedPackage>& offered, const Say& say);

/// What the transaction that was cut off had installed already: its scripts may not have run.
std::vector<Package> unfinished(const std::vector<Package>& media, const std::vector<Package>& before,
                                const InstalledPackages& appliance);

} // namespace um
