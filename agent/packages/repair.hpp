#pragma once
// Repairs what a transaction that was cut off left behind. rpm cannot resume such a transaction, but it can
// be made again. First its traces are repaired, because the next transaction relies on what it finds.

#include "packages/database.hpp"
#include "packages/offered.hpp"

#include <string>
#include <vector>

namespace um {

/// The older ones of the media's packages that are installed twice. The new one was unpacked, and the old one
/// was not erased yet.
std::vector<Package> leftovers(const std::vector<Package>& media, const InstalledPackages& appliance);

/// Erases packages without their scripts, because those ran, or will run when the new package is installed
/// again. Files that the new package also owns stay. Throws Failure (packages.damaged) and SystemFailure.
void erase(Appliance& appliance, const std::vector<Package>& packages, const Say& say);

/// Removes packages that were not installed before the change from the database alone. Their files stay, and
/// the next installation runs their scripts as for the first time ($1 = 1, which is what enables a service).
/// Throws Failure (packages.damaged) and SystemFailure.
void forget(Appliance& appliance, const std::vector<Package>& packages, const Say& say);

/// Renames configuration of these package files that rpm had not finished writing. It has the package's
/// modification time, but not its content, whether or not the package came into the database. rpm would take
/// it for an operator's own and keep it; an operator's own has another time. The file stays beside its old
/// name, with `suffix`, and replaces no other file. Throws SystemFailure.
void put_damaged_configuration_aside(Appliance& appliance, const std::vector<std::string>& files,
                                     const std::string& suffix, const Say& say);

/// Removes the files that rpm was writing when it was cut off. rpm unpacks into `PATH;XXXXXXXX` (eight
/// hexadecimal digits), and then renames. Nothing else ever removes such files, and a program may read every
/// file in a directory of configuration. Files that cannot be removed are ignored.
void remove_unpacked(const std::vector<OfferedPackage>& offered, const Say& say);

/// What the transaction that was cut off had installed already. The scripts of these packages may not have
/// run.
std::vector<Package> unfinished(const std::vector<Package>& media, const std::vector<Package>& before,
                                const InstalledPackages& appliance);

} // namespace um
