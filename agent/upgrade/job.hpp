#pragma once
// One running upgrade: what the stages share, and what they leave behind on disk.

#include "base/console.hpp"
#include "config/config.hpp"
#include "media/content.hpp"
#include "media/media_name.hpp"
#include "packages/offered.hpp"
#include "ports/ports.hpp"
#include "upgrade/audit.hpp"
#include "upgrade/state_file.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace um {

inline constexpr auto apply_unit = "um-upgrade-apply.service";
inline constexpr auto verify_unit = "um-upgrade-verify.service";
inline constexpr auto rollback_unit = "um-upgrade-rollback.service";

/// How often a phase of an upgrade is begun or resumed before a person must look.
inline constexpr unsigned attempt_limit = 3;

/// The media as found. They may be hostile until authenticate() has passed.
struct MediaSet {
    MediaName name;
    OpenMedia iso;
    std::string sidecars; ///< the path of .mf, .crt and .sign without the extension
};

/// What keeping the old system takes.
struct RollbackCost {
    KeepCost cost;
    double seconds = 0;       ///< an estimate
    std::size_t packages = 0; ///< of the media, that would be installed; also 0 if only a script knows
    std::vector<std::string> trees{}; ///< kept whole: protected ones, the rpm database, the product's data
};

/// How an upgrade ends. Only procedure/ending closes the record with it.
struct Ending {
    Outcome outcome{};
    EventDetail detail{}; ///< message, hint and reason
    ExitCode code{};
};

/// Only `state` outlives the process. After a crash, everything else is derived again.
struct Job {
    const Config& config;
    Ports& ports;
    Audit& audit;
    Console& console;
    const StateFile& store;
    std::string confirmation;  ///< path of the snapshot confirmation
    std::string only_media;    ///< --media; empty to search as configured
    bool may_ask = false;      ///< a person attends and may be asked
    std::string config_path{}; ///< --config, absolute; empty for the configuration as installed

    bool patient = false; ///< just after a boot: wait for services that are still coming up

    State state{};
    std::optional<MediaSet> media{};
    std::optional<Signer> signer{};
    Digests digests{}; ///< of the ISO, computed while it was read
    std::unique_ptr<Mounted> mounted{};
    std::optional<Content> content{};                     ///< of the mounted medium; see content_of()
    std::optional<std::vector<OfferedPackage>> offered{}; ///< by the mounted medium; see offered_by()
    std::optional<KeepScope> keep_scope{};                ///< as preflight found it
    std::optional<RollbackCost> rollback_cost{};          ///< once preflight has looked
    std::vector<std::string> product_units{}; ///< that may write the product's data, as preflight found them
    std::vector<Finding> findings{};          ///< of the running stage
    std::string note{};                       ///< what the running stage found out, for its journal entry
    bool warned = false;                      ///< the verification found something that is worth a look
    bool announced = false;                   ///< upgrade-started or upgrade-resumed is in the journal
};

/// What is on the mounted medium. It is read once in a process. Throws SystemFailure.
const Content& content_of(Job& job);

/// The packages on the mounted medium, by their headers. They are read once in a process. Throws
/// SystemFailure.
const std::vector<OfferedPackage>& offered_by(Job& job);

/// Adds to the stage's note, separated by "; " from what is there.
void add_note(Job& job, const std::string& text);

/// Runs `check`, and makes a refusal of a Failure that it throws, so that one failure does not hide the
/// findings of other checks. Throws whatever else `check` throws.
template <class Check>
void collect(Job& job, Check check) {
    try {
        check();
    } catch (const Failure& failure) {
        job.findings.push_back(refusal(failure.problem()));
    }
}

/// The person's answer; nothing when nobody can be asked. Throws Terminated.
std::optional<bool> ask(Job& job, const std::string& question);

// The paths of notes beside the record. The apply unit makes all but the last one, because the media may be
// gone when the upgrade is verified.

/// The packages that the media brought.
std::string package_list(const Job& job);
/// The packages that were installed before the change was begun.
std::string earlier_package_list(const Job& job);
/// Those of them that nothing on the media obsoletes. They must not be gone after the change.
std::string staying_package_list(const Job& job);
/// The forms in which the running kernel had an initramfs.
std::string initramfs_list(const Job& job);
/// Packages that are new on the appliance and were cut off. A repair forgets them and installs them again.
std::string fresh_package_list(const Job& job);
/// How long the product's logs were before the change or the rollback. Prepare and the rollback make it.
std::string log_marks(const Job& job);

} // namespace um
