#include "base/vocabulary.hpp"

#include <algorithm>
#include <array>

namespace um {
namespace {

constexpr std::array<std::string_view, 8> stage_words{"find",    "authenticate", "mount",  "preflight",
                                                      "prepare", "apply",        "reboot", "verify"};

constexpr std::array<std::string_view, 7> outcome_words{
    "succeeded",    "succeeded-with-warnings", "refused", "failed", "rolled-back", "needs-manual",
    "nothing-to-do"};

struct EventRow {
    EventKind kind;
    std::string_view word;
    std::string_view message_id; ///< of the catalog, 32 hexadecimal digits
};

constexpr std::array<EventRow, event_kinds> events{{
    {EventKind::upgrade_started, "upgrade-started", "103b8ed59b734829bdb7c46bc525ba23"},
    {EventKind::stage_started, "stage-started", "575a9551d3394dc2b8a4b450673c54cd"},
    {EventKind::stage_finished, "stage-finished", "31c332bf9ccf4aa789354247e1440bb7"},
    {EventKind::stage_failed, "stage-failed", "286a7a0248a44ef38df403f3500d143e"},
    {EventKind::refused, "refused", "768e281fa7cb46389350822558d80387"},
    {EventKind::warning, "warning", "d6fd635e345441779bc6bc5ef886047f"},
    {EventKind::prompt_answered, "prompt-answered", "cc5d72c7060a46d8b705e7d2dc3e195c"},
    {EventKind::reboot_requested, "reboot-requested", "96a385cef093418589929fd6df2ad019"},
    {EventKind::upgrade_resumed, "upgrade-resumed", "187e5c253de34bafbd7f03a20a94db1b"},
    {EventKind::rollback_started, "rollback-started", "52953fdc092e46bdbfbeb4e8b0f04191"},
    {EventKind::rollback_finished, "rollback-finished", "fe479e947a404ca4b6ad7572fc800f5d"},
    {EventKind::upgrade_finished, "upgrade-finished", "eef5355ff5ac456394a208000afa6546"},
    {EventKind::snapshot_confirmed, "snapshot-confirmed", "4b23c1de4c0f4be18ef0ad0f931db81c"},
    {EventKind::abandoned, "abandoned", "a2502c345e7842dd9c439d3fb6b6b97b"},
}};

struct ReasonRow {
    Reason reason;
    std::string_view word;
    ExitCode code;
};

constexpr std::array<ReasonRow, reasons> reason_rows{{
    {Reason::media_none, "media.none", ExitCode::media},
    {Reason::media_ambiguous, "media.ambiguous", ExitCode::media},
    {Reason::media_insecure, "media.insecure", ExitCode::media},
    {Reason::media_sidecar_missing, "media.sidecar-missing", ExitCode::media},
    {Reason::media_name, "media.name", ExitCode::media},
    {Reason::media_changed, "media.changed", ExitCode::media},
    {Reason::media_filesystem, "media.filesystem", ExitCode::media},
    {Reason::media_content, "media.content", ExitCode::media},
    {Reason::media_unreadable, "media.unreadable", ExitCode::media},
    {Reason::manifest_malformed, "manifest.malformed", ExitCode::not_authentic},
    {Reason::manifest_no_entry, "manifest.no-entry", ExitCode::not_authentic},
    {Reason::manifest_duplicate, "manifest.duplicate", ExitCode::not_authentic},
    {Reason::manifest_mismatch, "manifest.mismatch", ExitCode::not_authentic},
    {Reason::digest_weak, "digest.weak", ExitCode::not_authentic},
    {Reason::signature_malformed, "signature.malformed", ExitCode::not_authentic},
    {Reason::signature_mismatch, "signature.mismatch", ExitCode::not_authentic},
    {Reason::certificate_malformed, "certificate.malformed", ExitCode::not_authentic},
    {Reason::certificate_untrusted, "certificate.untrusted", ExitCode::not_authentic},
    {Reason::certificate_expired, "certificate.expired", ExitCode::not_authentic},
    {Reason::certificate_not_yet_valid, "certificate.not-yet-valid", ExitCode::not_authentic},
    {Reason::certificate_revoked, "certificate.revoked", ExitCode::not_authentic},
    {Reason::certificate_crl, "certificate.crl", ExitCode::not_authentic},
    {Reason::certificate_usage, "certificate.usage", ExitCode::not_authentic},
    {Reason::certificate_signer, "certificate.signer", ExitCode::not_authentic},
    {Reason::product_absent, "product.absent", ExitCode::preflight_refused},
    {Reason::version_not_newer, "version.not-newer", ExitCode::preflight_refused},
    {Reason::version_source_too_old, "version.source-too-old", ExitCode::preflight_refused},
    {Reason::snapshot_unconfirmed, "snapshot.unconfirmed", ExitCode::preflight_refused},
    {Reason::snapshot_expired, "snapshot.expired", ExitCode::preflight_refused},
    {Reason::hostname_mismatch, "hostname.mismatch", ExitCode::preflight_refused},
    {Reason::hostname_unknown, "hostname.unknown", ExitCode::preflight_refused},
    {Reason::space_insufficient, "space.insufficient", ExitCode::preflight_refused},
    {Reason::packages_unsolvable, "packages.unsolvable", ExitCode::preflight_refused},
    {Reason::packages_locked, "packages.locked", ExitCode::preflight_refused},
    {Reason::packages_damaged, "packages.damaged", ExitCode::preflight_refused},
    {Reason::services_unhealthy, "services.unhealthy", ExitCode::preflight_refused},
    {Reason::sshd_unmanageable, "sshd.unmanageable", ExitCode::preflight_refused},
    {Reason::reboot_pending, "reboot.pending", ExitCode::preflight_refused},
    {Reason::clock_implausible, "clock.implausible", ExitCode::preflight_refused},
    {Reason::check_failed, "check.failed", ExitCode::preflight_refused},
    {Reason::busy, "busy", ExitCode::busy},
    {Reason::script_failed, "script.failed", ExitCode::apply_failed},
    {Reason::script_prompt_unknown, "script.prompt-unknown", ExitCode::apply_failed},
    {Reason::script_stalled, "script.stalled", ExitCode::apply_failed},
    {Reason::packages_failed, "packages.failed", ExitCode::apply_failed},
    {Reason::packages_incomplete, "packages.incomplete", ExitCode::apply_failed},
    {Reason::verify_version, "verify.version", ExitCode::verification_failed},
    {Reason::verify_packages, "verify.packages", ExitCode::verification_failed},
    {Reason::verify_unit, "verify.unit", ExitCode::verification_failed},
    {Reason::verify_status, "verify.status", ExitCode::verification_failed},
    {Reason::verify_deadline, "verify.deadline", ExitCode::verification_failed},
    {Reason::verify_journal_error, "verify.journal-error", ExitCode::verification_failed},
    {Reason::verify_check, "verify.check", ExitCode::verification_failed},
    // Nothing was changed yet when a reason from here to rollback.expired is met.
    {Reason::rollback_unavailable, "rollback.unavailable", ExitCode::preflight_refused},
    {Reason::rollback_data, "rollback.data", ExitCode::preflight_refused},
    {Reason::rollback_space, "rollback.space", ExitCode::preflight_refused},
    {Reason::rollback_expired, "rollback.expired", ExitCode::preflight_refused},
    {Reason::rollback_failed, "rollback.failed", ExitCode::needs_manual},
    {Reason::state_damaged, "state.damaged", ExitCode::needs_manual},
    {Reason::state_unknown_format, "state.unknown-format", ExitCode::needs_manual},
    {Reason::interrupted, "interrupted", ExitCode::needs_manual},
    {Reason::system_failed, "system.failed", ExitCode::internal},
}};

/// A row that is missing or misplaced does not compile.
template <class Rows, class Key>
constexpr bool is_in_order(const Rows& rows, Key key) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (static_cast<std::size_t>(key(rows[i])) != i)
            return false;
    return true;
}
static_assert(is_in_order(events, [](const EventRow& row) { return row.kind; }));
static_assert(is_in_order(reason_rows, [](const ReasonRow& row) { return row.reason; }));

template <class Enum, std::size_t N>
std::optional<Enum> from(const std::array<std::string_view, N>& words, std::string_view word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end())
        return std::nullopt;
    return static_cast<Enum>(found - words.begin());
}

const ReasonRow& row_of(Reason reason) {
    return reason_rows.at(static_cast<std::size_t>(reason));
}

const EventRow& row_of(EventKind kind) {
    return events.at(static_cast<std::size_t>(kind));
}

} // namespace

std::string_view word(Stage stage) {
    return stage_words.at(static_cast<std::size_t>(stage));
}
std::string_view word(Outcome outcome) {
    return outcome_words.at(static_cast<std::size_t>(outcome));
}
std::string_view word(EventKind kind) {
    return row_of(kind).word;
}
std::string_view word(Reason reason) {
    return row_of(reason).word;
}

std::string_view message_id(EventKind kind) {
    return row_of(kind).message_id;
}

std::optional<Stage> stage_from(std::string_view word) {
    return from<Stage>(stage_words, word);
}
std::optional<Outcome> outcome_from(std::string_view word) {
    return from<Outcome>(outcome_words, word);
}
std::optional<Reason> reason_from(std::string_view word) {
    const auto found = std::ranges::find(reason_rows, word, &ReasonRow::word);
    return found == reason_rows.end() ? std::nullopt : std::optional(found->reason);
}

ExitCode exit_code(Reason reason) {
    return row_of(reason).code;
}

bool is_about_media(Reason reason) {
    const auto code = exit_code(reason);
    return code == ExitCode::media || code == ExitCode::not_authentic;
}

} // namespace um
