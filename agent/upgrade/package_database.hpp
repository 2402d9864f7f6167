#pragma once
// The rpm database itself: is it whole, and does somebody write to it?

#include "upgrade/ports.hpp"

#include <functional>
#include <optional>
#include <string>

namespace um {

using Say = std::function<void(const std::string& line)>;

struct DatabaseFacts {
    std::optional<std::string> writer; ///< who changes packages just now, as "dnf (process 1234)"
    std::string damage;                ///< rpm's own words; empty: none was found
};

/// A lock file that a crash left behind locks nothing: it is the lock itself that is asked for, as rpm does.
/// Throws SystemFailure.
DatabaseFacts look_at_database(Appliance& appliance);

/// Rebuilds the database when it is damaged. Throws Failure (packages.damaged) when that does not help.
void repair_database(Appliance& appliance, const Say& say);

} // namespace um
