#pragma once
// Finds out what preflight judges: everything about the appliance that can be known before the change.

#include "checks/preflight.hpp"
#include "upgrade/job.hpp"

namespace um {

/// Asks the machine for all of it but the snapshot. What one question fails with is a finding of job's, and
/// hides nothing that the others have to say. Throws SystemFailure where no answer makes sense without.
Facts survey(Job& job);

/// How long the product's report may take.
inline constexpr std::chrono::seconds status_limit{60};

/// The health of the units and of the product's report, as preflight and the verification see it; what the
/// machine cannot answer is no health.
std::vector<UnitHealth> look_at_units(Ports& ports, const std::vector<std::string>& units);
StatusReport look_at_status(Ports& ports, const Config& config, std::chrono::seconds limit);

} // namespace um
