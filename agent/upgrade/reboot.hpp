#pragma once
// The reboot of an upgrade or of a rollback, by the policy of [reboot]. Step 8 of the procedure.

#include "upgrade/job.hpp"

#include <string>

namespace um {

/// Whether a reboot was requested already, perhaps before this process was started. False when logind cannot
/// be asked.
bool reboot_is_due(Job& job);

/// Requests a reboot, once in a boot. `then`: what the reboot leads to, for the message; may be empty. Throws
/// SystemFailure.
void request_reboot(Job& job, const std::string& then);

} // namespace um
