#pragma once
// sshd is enabled and started before the change, and looked at again after the boot, because an update of the
// OS can reset it. Precondition 2 of the procedure.

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct SshdFacts {
    std::string unit; ///< what it is called itself: an alias cannot be enabled
    UnitStatus service;
    bool socket_listens = false; ///< systemd listens in its place, and starts it when somebody comes
};

/// `known`: what the unit was called before the change; empty: not known yet. Throws SystemFailure.
SshdFacts look_at_sshd(Services& services, const Config::Sshd& config, const std::string& known = {});

/// Masked or missing is a refusal (sshd.unmanageable).
std::vector<Finding> judge_sshd(const SshdFacts& facts, const Config::Sshd& config);

/// Enables and starts what is neither, and says how it was: "sshd.service was enabled and active". What
/// cannot be enabled (static, generated …) is started alone. Throws Failure (sshd.unmanageable).
std::string ensure_sshd(Services& services, const SshdFacts& facts, const Config::Sshd& config);

/// The same for the sshd of this upgrade, where it cannot be a refusal any more: what is wrong is a warning
/// among job.findings.
void try_ensure_sshd(Job& job);

} // namespace um
