#pragma once
// The picture that rpm gives of the appliance, before a change and after it was taken back.

#include "packages/packages.hpp"

#include <string>
#include <vector>

namespace um {

/// Writes the picture into files of `directory`: the installed packages, and what `rpm -Va` has to say.
/// Content is not read: that is the way back's own to compare. Throws SystemFailure.
void take_picture(Appliance& appliance, const std::string& directory);

/// One sentence for each package that is more or less than in the picture, and for each line of `rpm -Va`
/// that is new, but for paths that are left out. Throws SystemFailure.
std::vector<std::string> compare_with_picture(Appliance& appliance, const std::string& directory,
                                              const std::vector<std::string>& left_out);

} // namespace um
