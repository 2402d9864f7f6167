#pragma once
// Puts kept files back.

#include "ports/keeper.hpp"

#include <string>
#include <vector>

namespace um {

/// `list`: the path of the list of kept files. `added`: files that packages own now. After an interruption it
/// can be called again. Throws Failure (rollback.failed), with nothing put back, when the kept files are not
/// whole. Throws SystemFailure.
RollbackResult put_back(const std::string& list, const std::vector<std::string>& added);

} // namespace um
