#pragma once
// The words that users and auditors rely on: stages, outcomes, events, reasons and exit codes. Journals,
// records, JSON and tests all use them, so each word is here exactly once.

#include <cstddef>
#include <optional>
#include <string_view>

namespace um {

enum class Stage { find, authenticate, mount, preflight, prepare, apply, reboot, verify };

enum class Outcome {
    succeeded,
    succeeded_with_warnings,
    refused, ///< nothing was changed, by decision
    failed,  ///< nothing was changed, because of an error
    rolled_back,
    needs_manual, ///< changed and not healthy, or impossible to tell
    nothing_to_do
};

enum class EventKind {
    upgrade_started,
    stage_started,
    stage_finished,
    stage_failed,
    refused,
    warning,
    prompt_answered,
    reboot_requested,
    upgrade_resumed,
    rollback_started,
    rollback_finished,
    upgrade_finished,
    snapshot_confirmed,
    abandoned
};

enum class Reason {
    media_none,
    media_ambiguous,
    media_insecure,
    media_sidecar_missing,
    media_name,
    media_changed,
    media_filesystem,
    media_content,
    media_unreadable,
    manifest_malformed,
    manifest_no_entry,
    manifest_duplicate,
    manifest_mismatch,
    digest_weak,
    signature_malformed,
    signature_mismatch,
    certificate_malformed,
    certificate_untrusted,
    certificate_expired,
    certificate_not_yet_valid,
    certificate_revoked,
    certificate_crl,
    certificate_usage,
    certificate_signer,
    product_absent,
    version_not_newer,
    version_source_too_old,
    snapshot_unconfirmed,
    snapshot_expired,
    hostname_mismatch,
    hostname_unknown,
    space_insufficient,
    packages_unsolvable,
    packages_locked,
    packages_damaged,
    services_unhealthy,
    sshd_unmanageable,
    reboot_pending,
    clock_implausible,
    check_failed,
    busy,
    script_failed,
    script_prompt_unknown,
    script_stalled,
    packages_failed,
    packages_incomplete,
    verify_version,
    verify_packages,
    verify_unit,
    verify_status,
    verify_deadline,
    verify_journal_error,
    verify_check,
    rollback_unavailable,
    rollback_data,
    rollback_space,
    rollback_expired,
    rollback_failed,
    state_damaged,
    state_unknown_format,
    interrupted,
    system_failed ///< the machine or this program failed; the message is the exception's
};

enum class ExitCode {
    done = 0,
    internal = 1,
    usage = 2,
    configuration = 3,
    media = 4,
    not_authentic = 5,
    preflight_refused = 6,
    apply_failed = 7,
    verification_failed = 8,
    busy = 9,
    needs_manual = 10
};

std::string_view word(Stage stage);
std::string_view word(Outcome outcome);
std::string_view word(EventKind kind);
std::string_view word(Reason reason);

/// The catalogued MESSAGE_ID of an event: 32 hexadecimal digits.
std::string_view message_id(EventKind kind);

std::optional<Stage> stage_from(std::string_view word);
std::optional<Outcome> outcome_from(std::string_view word);
std::optional<Reason> reason_from(std::string_view word);

/// The exit code of a refusal or failure for `reason`.
ExitCode exit_code(Reason reason);
/// Whether the media are missing, unusable or not authentic. Other media may be fine.
bool is_about_media(Reason reason);

inline constexpr std::size_t event_kinds = static_cast<std::size_t>(EventKind::abandoned) + 1;
inline constexpr std::size_t reasons = static_cast<std::size_t>(Reason::system_failed) + 1;

} // namespace um
