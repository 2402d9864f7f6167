#pragma once
// May this appliance take these media now? Facts in, findings out.

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

/// What preflight knows of the appliance.
struct Facts {
    std::optional<std::string> installed_version; ///< nothing when the version command failed
    std::string version_output;                   ///< what it said then
    std::optional<SnapshotConfirmation> snapshot;
    std::chrono::system_clock::time_point now;
    std::optional<HostNameFacts> host_name;
    std::vector<Volume> volumes; ///< the file systems that the change writes to
    DatabaseFacts database;
    std::string objection; ///< of the package manager, where it will make the change; empty: none
    Unhealthy unhealthy;
    Unhealthy with_errors;
    std::optional<SshdFacts> sshd; ///< nothing when it is not managed
    std::size_t packages = 0;      ///< of the media that would be installed, as far as the media tell
    std::optional<RollbackCost> rollback_cost; ///< nothing when none is kept
    std::string pending_reboot;                ///< why one is due; empty: none is
};

/// Every refusal and warning at once, in the order in which an operator would fix them. `to_version`: what
/// the media hold.
std::vector<Finding> judge_preflight(const Facts& facts, const std::string& to_version, const Config& config);

} // namespace um
