#pragma once
// Finds out what preflight judges: everything about the appliance that can be known before the change.

#include "checks/preflight.hpp"
#include "upgrade/job.hpp"

namespace um {

/// Asks the machine for all of it but the snapshot and the cost of a rollback. Adds to `volumes` what the
/// change needs. What one question fails with is a finding of the job's, and hides nothing that the others
/// have to say. Throws SystemFailure where no answer makes sense without.
Facts survey(Job& job, Volumes& volumes);

} // namespace um
