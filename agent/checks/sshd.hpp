#pragma once
// sshd is enabled and started before the change, and checked again after the boot, because an update of the
// OS can reset it. Precondition 2 of the procedure.

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct SshdFacts {
    std::string unit; ///< its own name, because an alias cannot be enabled
    UnitStatus service;
    std::string enablement;      ///< of the service
    bool socket_listens = false; ///< systemd listens in its place, and starts it for a connection
};

/// `known`: the unit's name before the change; empty when it is not known yet. Throws SystemFailure.
SshdFacts look_at_sshd(Services& services, const Config::Sshd& config, const std::string& known = {});

/// A unit that is masked or missing is a refusal (sshd.unmanageable), unless systemd listens in its place.
std::vector<Finding> judge_sshd(const SshdFacts& facts, const Config::Sshd& config);

/// Enables and starts the unit if necessary. Returns how it was before: "sshd.service was enabled and
/// active". A unit that cannot be enabled (static, generated …) is only started. If systemd listens in its
/// place, nothing is changed. Throws Failure (sshd.unmanageable).
std::string ensure_sshd(Services& services, const SshdFacts& facts, const Config::Sshd& config);

/// The same for the sshd of this upgrade when a refusal is not possible any more: a problem becomes a warning
/// in job.findings. Does nothing with [sshd] manage = no.
void try_ensure_sshd(Job& job);

} // namespace um
