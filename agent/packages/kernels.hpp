#pragma once
// A kernel that was installed must be there to boot: its package's scripts put parts of it into /boot, and
// rpm hides it when they fail.

#include "packages/packages.hpp"

#include <string>
#include <vector>

namespace um {

/// In which forms, such as "/boot/initrd.img-*", the kernel that runs has an initramfs. To be asked before
/// the change: where the package manager keeps no old kernel, its initramfs goes with it.
std::vector<std::string> initramfs_forms(Appliance& appliance);

/// One sentence for each of these kernels whose image is missing or empty, or that has no initramfs in one of
/// these forms. Throws SystemFailure.
std::vector<std::string> boot_shortcomings(Appliance& appliance, const std::vector<Package>& kernels,
                                           const std::vector<std::string>& initramfs);

} // namespace um
