#pragma once
// May this appliance take these media now? Facts go in, findings come out.

#include "checks/host_name.hpp"
#include "checks/sshd.hpp"
#include "checks/unhealthy.hpp"
#include "config/config.hpp"
#include "packages/database.hpp"
#include "packages/space.hpp"
#include "upgrade/job.hpp"
#include "upgrade/snapshot.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// What preflight knows about the appliance.
struct Facts {
    std::optional<std::string> installed_version; ///< nothing when the version command failed
    std::string version_output;                   ///< what it printed
    std::optional<SnapshotConfirmation> snapshot;
    std::chrono::system_clock::time_point now;
    std::optional<HostNameFacts> host_name;
    std::vector<Volume> volumes; ///< the file systems that the change writes to
    DatabaseFacts database;
    std::string objection; ///< of the package manager, if it will make the change; empty if it has none
    Unhealthy unhealthy;
    Unhealthy with_errors;
    std::optional<SshdFacts> sshd; ///< nothing when it is not managed
    std::size_t packages = 0;      ///< of the media, that would be installed, as far as the media show it
    std::optional<RollbackCost> rollback_cost; ///< nothing when the old system is not kept
    std::string pending_reboot;                ///< why one is due; empty when none is
};

/// Every refusal and warning at once, in the order in which an operator would fix them. `to_version`: the
/// version on the media.
std::vector<Finding> judge_preflight(const Facts& facts, const std::string& to_version, const Config& config);

} // namespace um
