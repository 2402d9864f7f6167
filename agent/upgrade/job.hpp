#pragma once
// The procedure: the table of stages, and the loop that runs them.

#include "upgrade/audit.hpp"
#include "config/config.hpp"
#include "media/media_name.hpp"
#include "ports/ports.hpp"
#include "checks/preflight.hpp"
#include "upgrade/state.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace um {

inline constexpr auto apply_unit = "um-upgrade-apply.service";
inline constexpr auto verify_unit = "um-upgrade-verify.service";

/// How often an upgrade is begun or gone on with before a person must look.
inline constexpr unsigned attempt_limit = 3;

/// The media as found; hostile until authenticate() has passed.
struct MediaSet {
    MediaName name;
    OpenMedia iso;
    std::string sidecars; ///< where .mf, .crt and .sign stand: their path without the extension
};

/// One upgrade at work. Only `state` outlives the process; all else is derived anew after a crash.
struct Job {
    const Config& config;
    Ports& ports;
    Audit& audit;
    Console& console;
    const StateFile& store;
    std::string confirmation;  ///< path of the snapshot confirmation
    std::string only_media;    ///< --media; empty: search as configured
    bool may_ask = false;      ///< a person attends and may be asked
    std::string config_path{}; ///< --config, absolute; empty: the configuration as installed

    bool patient = false; ///< just after a boot, wait for what is still coming up

    State state{};
    std::optional<MediaSet> media{};
    std::optional<Signer> signer{};
    Digests digests{}; ///< of the ISO, as it was read
    std::unique_ptr<Mounted> mounted{};
    std::optional<KeepScope> keep_scope{};    ///< as preflight found it
    std::optional<WayBack> way_back{};        ///< what keeping it takes, once preflight has looked
    std::vector<std::string> product_units{}; ///< which may write the product's data, as preflight found them
    std::vector<Finding> findings{};          ///< of the stage at work
    std::string note{};                       ///< what the stage at work found out, for its journal entry
    bool warned = false;                      ///< the verification found something that is worth a look
    bool announced = false;                   ///< upgrade-started or upgrade-resumed is in the journal
};

/// Where the apply unit keeps what the media brought: the media may be gone when the upgrade is verified.
inline std::string package_list(const Job& job) {
    return job.store.directory() + "/packages.list";
}

/// And what was installed before the change was begun.
inline std::string earlier_package_list(const Job& job) {
    return job.store.directory() + "/before.list";
}

/// And those of them that nothing on the media obsoletes: they may not go.
inline std::string staying_package_list(const Job& job) {
    return job.store.directory() + "/staying.list";
}

/// And in which forms the kernel that ran had an initramfs.
inline std::string initramfs_list(const Job& job) {
    return job.store.directory() + "/initramfs.list";
}

/// And what is new on the appliance and was cut off: a repair forgets it, and installs it afresh.
inline std::string fresh_package_list(const Job& job) {
    return job.store.directory() + "/fresh.list";
}

/// And how long the product's logs were then.
inline std::string log_marks(const Job& job) {
    return job.store.directory() + "/logs.list";
}

/// What a stage's work leads to.
enum class Next { stage, nothing_to_do, wait_for_boot };

/// Runs the procedure, or goes on with an interrupted one: command `run`.
ExitCode run_procedure(Job& job);

/// Goes on with what waits for this boot, and does nothing else: command `verify`.
ExitCode continue_after_boot(Job& job);

/// Find, authenticate, mount, preflight, unmount, with every finding and nothing durable: command `check`.
struct CheckResult {
    State state; ///< what became known of the media
    std::optional<Signer> signer;
    Digests digests; ///< of the ISO, as it was read
    std::vector<Finding> findings;
    RollbackMode rollback = RollbackMode::off;
    std::optional<WayBack> way_back; ///< what keeping it would take, where that is known
    bool needs_person = false;       ///< an earlier upgrade does, and no other begins before
    bool nothing_to_do = false;
    std::string note;    ///< why there is nothing to do
    std::string failure; ///< what the machine failed, which ended the check early
};
CheckResult check_procedure(Job& job);

/// Ends an upgrade that a person closes.
void abandon_upgrade(Job& job, const std::string& why);

} // namespace um
