#pragma once
// rpm's picture of the appliance: it is taken before a change, and compared after a rollback.

#include "packages/packages.hpp"

#include <string>
#include <vector>

namespace um {

/// Writes the picture into files in `directory`: the installed packages, and the output of `rpm -Va`. The
/// content of files is not read, because the rollback itself compares that. Throws SystemFailure.
void take_picture(Appliance& appliance, const std::string& directory);

/// One sentence for each package that is in the picture or on the appliance, but not in both, and for each
/// new line of `rpm -Va`. Lines about paths that begin with one of `left_out` do not count. Throws
/// SystemFailure.
std::vector<std::string> compare_with_picture(Appliance& appliance, const std::string& directory,
                                              const std::vector<std::string>& left_out);

} // namespace um
