#pragma once
// Finds out what preflight judges: everything that can be known about the appliance before the change.

#include "checks/preflight.hpp"
#include "upgrade/job.hpp"

namespace um {

/// Asks the machine for all facts but the snapshot and the cost of a rollback. Adds to `volumes` what the
/// change needs. A Failure about the packages becomes a finding of the job, and hides no other finding; so do
/// the findings of operators' checks. Throws SystemFailure when a fact is missing without which no judgment
/// makes sense.
Facts survey(Job& job, Volumes& volumes);

} // namespace um
