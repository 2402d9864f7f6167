#pragma once
// The one record of where an upgrade is (state.ini), and its closed copies (history/).

#include "base/failure.hpp"
#include "base/vocabulary.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// How far the change itself is, as the apply unit records it.
enum class Change { none, begun, done, failed };

std::string_view word(Change change);

/// How far a rollback is.
enum class RollbackStep {
    none,
    due,   ///< the requested boot puts the old system back
    taken, ///< the old system was put back; the boot after that proves it
    failed ///< the old system could not be put back
};

std::string_view word(RollbackStep step);

/// A plain value. Texts are UTF-8; times are UTC in ISO 8601.
struct State {
    std::string id; ///< UUID, UM_UPGRADE_ID
    Stage stage = Stage::find;
    std::optional<Outcome> outcome; ///< absent while the upgrade is open
    std::optional<Reason> reason;   ///< of the outcome
    std::string message;            ///< of the outcome, for the operator
    std::string hint;               ///< of the outcome: what to do
    unsigned attempts = 0;          ///< how often the procedure was begun for this id
    unsigned tries = 0;  ///< attempts of this phase: before the change, change, verification, or rollback
    std::string boot_id; ///< of the boot in which the last stage or step began
    std::string started;
    std::string finished;
    std::string from_version;
    std::string to_version;
    std::string config;          ///< the latest --config, absolute; empty for the configuration as installed
    std::string requested_media; ///< --media of the run that began it; empty if media were searched for
    std::string media;           ///< the ISO's file name
    std::string media_sha256;    ///< hex
    std::string manifest; ///< SHA-256 of the manifest's text: distinguishes media without reading the ISO
    std::string signer;
    std::uint64_t mount_device = 0; ///< st_dev of the verified medium as mounted; valid in this boot only
    Change change = Change::none;
    std::string sshd;            ///< name of its unit before the change; empty if not looked at
    std::string unhealthy;       ///< what was unhealthy before the change, as to_text(Unhealthy)
    bool reboot_is_left = false; ///< to the operator, by answer or policy, or as a scheduled reboot
    bool has_kept_files = false; ///< the old system is kept
    std::string kept_summary;    ///< what was kept, for people
    std::string kept_until;      ///< when the kept files expire; empty while it is open or waits for a person
    RollbackStep rollback = RollbackStep::none;
    std::string rollback_why; ///< the problem behind it, or who asked for it and why
    std::string stopped;      ///< the product's units that are stopped while their data are copied
    std::string method;       ///< "script" or "packages": how the change was begun
    std::string abandoned;    ///< why a person closed it; empty if nobody did

    /// Records the problem of the outcome.
    void set_problem(const Problem& problem);
    /// The recorded problem. `otherwise`: its reason if none is recorded.
    Problem problem(Reason otherwise) const;
    /// The recorded message and hint, with another reason.
    Problem problem_of(Reason other) const { return {other, message, hint}; }
    void clear_problem();

    /// The upgrade was begun and is not closed yet.
    bool open() const { return !outcome; }
    /// The change was begun and is neither complete nor given up: it is running, or was cut off.
    bool cut_off() const { return change == Change::begun; }
    /// A rollback is due, was taken, or failed.
    bool rolling_back() const { return rollback != RollbackStep::none; }
    /// The version that must be installed in the end.
    const std::string& expected_version() const {
        return rollback == RollbackStep::taken ? from_version : to_version;
    }
    /// A boot is all that it waits for. `now`: the id of this boot.
    bool waits_for_boot(const std::string& now) const {
        const bool due = rolling_back() ? rollback != RollbackStep::failed : stage == Stage::reboot;
        return open() && due && boot_id == now;
    }
    bool waits_for_a_person() const { return outcome == Outcome::needs_manual && abandoned.empty(); }
    /// A change that was cut off met something that a person can fix, such as missing media. Once that is
    /// fixed, the change can be made again.
    bool goes_on_when_mended() const {
        return waits_for_a_person() && cut_off() && !rolling_back() && reason != Reason::interrupted;
    }
};

/// What a person can do about an upgrade that waits for one.
std::string way_out(const State& state);

/// The record as INI text; `parse_state` reads it back. Any text survives both ways.
std::string to_ini(const State& state);

/// The failure state.damaged for the record `where`.
Failure damaged_record(const std::string& where, const std::string& why);

/// Throws Failure: state.damaged, or state.unknown-format for a record of another version. `where`: the path
/// of the record, for messages.
State parse_state(const std::string& text, const std::string& where);

} // namespace um
