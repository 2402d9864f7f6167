#pragma once
// The rpm database itself: is it whole, and does somebody write to it?

#include "packages/packages.hpp"

#include <functional>
#include <optional>
#include <string>

namespace um {

using Say = std::function<void(const std::string& line)>;

struct LastInstalled {
    std::chrono::system_clock::time_point time;
    std::string package; ///< its name
};

struct DatabaseFacts {
    std::optional<std::string> writer;     ///< who changes packages just now, as "dnf (process 1234)"
    std::string damage;                    ///< rpm's own words; empty: none was found, or somebody is at work
    std::vector<std::string> duplicates{}; ///< what is installed more than once, one sentence each
    std::vector<Package> installed{};      ///< none where the database is damaged
    std::optional<LastInstalled> newest{}; ///< of the packages
    bool can_be_read() const { return damage.empty() && !writer; }
};

/// A lock file that a crash left behind locks nothing: it is the lock itself that is asked for, as rpm does.
/// Throws SystemFailure.
DatabaseFacts look_at_database(Appliance& appliance);

/// Where the rpm database is, without a slash at its end. Throws SystemFailure.
std::string database_directory(Appliance& appliance);

/// Rebuilds the database when it is damaged. Throws Failure (packages.damaged) when that does not help.
void repair_database(Appliance& appliance, const Say& say);

} // namespace um
