#pragma once
// um-upgrade's own units, which the next boot must start.

#include "base/failure.hpp"
#include "upgrade/job.hpp"

#include <string>

namespace um {

/// Enables a unit that is not enabled. Throws Failure (`reason`, `hint`) when the unit is masked or missing,
/// and SystemFailure when systemd cannot be asked.
void ensure_enabled(Services& services, const std::string& unit, Reason reason, const std::string& hint);

/// The same for the unit that verifies after the boot and resumes a change that was cut off. Throws Failure
/// (services.unhealthy) and SystemFailure.
void ensure_verification(Job& job);

/// The same for the unit that puts the old system back. Throws Failure (`reason`) and SystemFailure.
void ensure_rollback_unit(Job& job, Reason reason);

/// Whether the change is running. It is not in a later boot, because a unit does not outlive its boot, nor
/// during a rollback. In both cases systemd is not asked, and D-Bus may be absent. Throws SystemFailure.
bool change_is_at_work(Job& job, const State& state);

} // namespace um
