#pragma once
// A kernel that was installed must be able to boot. Scripts of its package put parts of it into /boot, and
// rpm hides it when a script fails.

#include "packages/packages.hpp"

#include <string>
#include <vector>

namespace um {

/// The forms, such as "/boot/initrd.img-*", in which the running kernel has an initramfs. Call it before the
/// change: a package manager that keeps no old kernel also removes the old initramfs. Throws SystemFailure.
std::vector<std::string> initramfs_forms(Appliance& appliance);

/// One sentence for each image of these kernels that is missing or empty, and for each initramfs that they
/// lack in one of these forms. Throws SystemFailure.
std::vector<std::string> boot_shortcomings(Appliance& appliance, const std::vector<Package>& kernels,
                                           const std::vector<std::string>& initramfs);

} // namespace um
