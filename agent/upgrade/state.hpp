#pragma once
// The one record of where an upgrade stands (state.ini), and its closed copies (history/).

#include "base/failure.hpp"
#include "base/vocabulary.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// How far the change itself came, as the apply unit records it.
enum class Change { none, begun, done, failed };

std::string_view word(Change change);

/// How far taking the upgrade back came.
enum class RollbackStep {
    none,
    due,   ///< the boot that is asked for puts the old system back
    taken, ///< it was put back; the boot after that proves it
    failed ///< it could not be put back
};

std::string_view word(RollbackStep step);

/// A plain value. Texts are UTF-8; times are UTC in ISO 8601.
struct State {
    std::string id; ///< UUID, UM_UPGRADE_ID
    Stage stage = Stage::find;
    std::optional<Outcome> outcome; ///< absent while the upgrade is open
    std::optional<Reason> reason;   ///< of the outcome
    std::string message;            ///< of the outcome: what an operator reads
    std::string hint;               ///< of the outcome: what to do
    unsigned attempts = 0;          ///< how often the procedure was begun for this id
    unsigned tries = 0;  ///< those of the phase it is in: before the change, the change, the verification
    std::string boot_id; ///< of the boot in which the record was saved last
    std::string started;
    std::string finished;
    std::string from_version;
    std::string to_version;
    std::string
        config; ///< --config of the run that began it, absolute; empty: the configuration as installed
    std::string requested_media; ///< --media of the run that began it; empty: searched
    std::string media;           ///< the ISO's file name
    std::string media_sha256;    ///< hex
    std::string manifest; ///< SHA-256 of the manifest's text: what tells these media from others unread
    std::string signer;
    std::uint64_t mount_device = 0; ///< st_dev of the verified medium as mounted; this boot only
    Change change = Change::none;
    std::string sshd;            ///< what its unit was called before the change; empty: not looked at
    std::string unhealthy;       ///< to_text(Unhealthy): who was not well before the change
    bool reboot_is_left = false; ///< to the operator, who was asked or whose policy it is
    bool has_kept_files = false; ///< the old system is kept
    std::string kept_summary;    ///< what was kept, for people
    std::string kept_until; ///< when the way back of a closed upgrade ends; empty: not before it is closed
    RollbackStep rollback = RollbackStep::none;
    std::string rollback_why; ///< who or what asked for it
    std::string stopped;      ///< the product's units that stand still while their data are copied
    std::string method;       ///< "script" or "packages": how the change was begun
    std::string abandoned;    ///< why a person closed it; empty: nobody did

    /// Records a problem as that of the outcome.
    void set_problem(const Problem& problem);
    /// The recorded one; `otherwise` where none has a reason.
    Problem problem(Reason otherwise) const;
    /// The recorded message and hint, for another reason than the recorded one.
    Problem problem_of(Reason other) const { return {other, message, hint}; }
    void clear_problem();

    /// An open upgrade: it was begun and nobody has closed it.
    bool open() const { return !outcome; }
    /// The change was begun and is neither complete nor given up: it is at work, or was cut off.
    bool cut_off() const { return change == Change::begun; }
    /// It is being taken back, or that failed.
    bool rolling_back() const { return rollback != RollbackStep::none; }
    /// What must be installed in the end.
    const std::string& expected_version() const {
        return rollback == RollbackStep::taken ? from_version : to_version;
    }
    /// A boot is all that it waits for. `now`: the id of this boot.
    bool waits_for_boot(const std::string& now) const {
        const bool due = rolling_back() ? rollback != RollbackStep::failed : stage == Stage::reboot;
        return open() && due && boot_id == now;
    }
    bool waits_for_a_person() const { return outcome == Outcome::needs_manual && abandoned.empty(); }
    /// A change that was cut off met something that a person can mend, such as media that were not at hand:
    /// once it is mended, the change can be made again.
    bool goes_on_when_mended() const {
        return waits_for_a_person() && cut_off() && !rolling_back() && reason != Reason::interrupted;
    }
};

/// What a person does about an upgrade that waits for one.
std::string way_out(const State& state);

/// The record as INI text; `parse_state` reads it back. Any text survives the way.
std::string to_ini(const State& state);

/// state.damaged, for the record `where`.
Failure damaged_record(const std::string& where, const std::string& why);

/// Throws Failure: state.damaged, or state.unknown-format for a record of another version.
State parse_state(const std::string& text, const std::string& where);

} // namespace um
