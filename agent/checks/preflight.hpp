#pragma once
// May this appliance take these media now? Facts in, findings out.

#include "config/config.hpp"
#include "upgrade/snapshot.hpp"
#include "base/failure.hpp"
#include "checks/status_report.hpp"
#include "checks/host_name.hpp"
#include "ports/keeper.hpp"
#include "packages/database.hpp"
#include "checks/sshd.hpp"
#include "packages/space.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// What keeping the old system takes.
struct WayBack {
    KeepCost cost;
    double seconds = 0;       ///< a guess
    std::size_t packages = 0; ///< of the media that would be installed; 0 too where only a script knows
    std::vector<std::string> trees{}; ///< kept whole: protected ones, the rpm database, the product's data
};

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
    Unwell unwell;
    Unwell with_errors;
    std::optional<SshdFacts> sshd;   ///< nothing when it is not managed
    std::size_t packages = 0;        ///< of the media that would be installed, as far as the media tell
    std::optional<WayBack> way_back; ///< nothing when none is kept
    std::string pending_reboot;      ///< why one is due; empty: none is
};

/// What preflight knows of the media.
struct MediaFacts {
    std::string version;
};

/// Every refusal and warning at once, in the order in which an operator would mend them.
std::vector<Finding> preflight(const Facts& appliance, const MediaFacts& media, const Config& config);

/// 0.1 MiB precision is what an operator reads: "214.3 MiB".
std::string human_size(std::uint64_t bytes);

} // namespace um
