#pragma once
// um-upgrade's own units, which must come up with the next boot.

#include "base/failure.hpp"
#include "upgrade/job.hpp"

#include <string>

namespace um {

/// Enables a unit that is not enabled. Throws Failure (`reason`, `hint`) where it is masked or missing,
/// SystemFailure where systemd cannot be asked.
void ensure_enabled(Services& services, const std::string& unit, Reason reason, const std::string& hint);

/// The unit that verifies after the boot, and resumes a change that is cut off. Throws Failure
/// (services.unhealthy).
void ensure_verification(Job& job);

/// The unit that puts the old system back. Throws Failure (`reason`).
void ensure_rollback_unit(Job& job, Reason reason);

/// Whether the change is at work. A unit does not outlive its boot, and an upgrade that is being rolled back
/// has none at work: in both cases D-Bus need not be there to be asked. Throws SystemFailure.
bool change_is_at_work(Job& job, const State& state);

} // namespace um
