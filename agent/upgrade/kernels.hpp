#pragma once
// A kernel that was installed must be there to boot: its package's scripts put parts of it into /boot, and
// rpm hides it when they fail.

#include "upgrade/packages.hpp"

#include <string>
#include <vector>

namespace um {

/// One sentence for each of these kernels whose image is missing or empty, or that has no initramfs where the
/// kernel that runs has one.
std::vector<std::string> boot_shortcomings(Appliance& appliance, const std::vector<Package>& kernels);

} // namespace um
