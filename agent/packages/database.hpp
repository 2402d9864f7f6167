#pragma once
// The rpm database itself: is it whole, and is a process writing to it?

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
    std::optional<std::string> writer;     ///< what changes packages now, as "dnf (process 1234)"
    std::string damage;                    ///< rpm's own words; empty if none was found, or with a writer
    std::vector<std::string> duplicates{}; ///< what is installed more often than allowed, one sentence each
    std::vector<Package> installed{};      ///< none if the database is damaged, or with a writer
    std::optional<LastInstalled> newest{}; ///< the package that was installed last
    bool can_be_read() const { return damage.empty() && !writer; }
};

/// Asks for the lock itself, as rpm does, because a lock file that a crash left behind locks nothing. Throws
/// SystemFailure.
DatabaseFacts look_at_database(Appliance& appliance);

/// Where the rpm database is, without a slash at its end. Throws SystemFailure.
std::string database_directory(Appliance& appliance);

/// Rebuilds the database if it is damaged. Throws Failure (packages.damaged) when that does not help, and
/// SystemFailure.
void repair_database(Appliance& appliance, const Say& say);

} // namespace um
