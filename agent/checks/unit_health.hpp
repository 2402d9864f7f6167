#pragma once
// The health of the product's units, before the change and after the boot.

#include "checks/status_report.hpp"
#include "checks/unhealthy.hpp"
#include "ports/ports.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace um {

/// How long a unit must have been active without a restart before it counts as up. A service that crashes
/// twenty seconds after each start is active most of the time.
inline constexpr std::chrono::seconds steady_time{30};

struct UnitHealth {
    std::string unit;
    std::string active; ///< ActiveState, "masked", "not installed", or "unknown" with the reason
    unsigned restarts = 0;
    std::chrono::microseconds steady{}; ///< how long it has been active
};

/// Asks systemd. A unit about which it cannot answer is "unknown", which is not healthy.
std::vector<UnitHealth> look_at_units(Ports& ports, const std::vector<std::string>& units);

/// The units in `named`, and the report's services that may be units by their name. A later version may have
/// more units than are configured.
std::vector<std::string> units_of_product(const std::vector<std::string>& named, const StatusReport& report);

/// What is certainly unhealthy: units that are failed, inactive, masked or activating, services that are
/// Offline, and the report itself when it names no state or takes too long.
Unhealthy unhealthy_before(const std::vector<UnitHealth>& units, const StatusReport& report);

/// Whether something that is unhealthy may only be late.
bool is_coming_up(const std::vector<UnitHealth>& units, const StatusReport& report);

/// Refusals are failures of the verification; warnings are worth a look.
std::vector<Finding> judge_units(const std::vector<UnitHealth>& units, const Unhealthy& before);

} // namespace um
