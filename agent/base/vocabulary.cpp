#include "base/vocabulary.hpp"

#include <algorithm>
#include <array>

namespace um {
namespace {

using Words = std::string_view;

constexpr std::array<Words, 8> stage_words{"find",    "authenticate", "mount",  "preflight",
                                           "prepare", "apply",        "reboot", "verify"};

constexpr std::array<Words, 7> outcome_words{
    "succeeded",    "succeeded-with-warnings", "refused", "failed", "rolled-back", "needs-manual",
    "nothing-to-do"};

constexpr std::array<Words, event_kinds> event_words{
    "upgrade-started",   "stage-started",    "stage-finished",     "stage-failed",    "refused",
    "warning",           "prompt-answered",  "reboot-requested",   "upgrade-resumed", "rollback-started",
    "rollback-finished", "upgrade-finished", "snapshot-confirmed", "abandoned"};

constexpr std::array<Words, reasons> reason_words{
    "media.none",
    "media.ambiguous",
    "media.insecure",
    "media.sidecar-missing",
    "media.name",
    "media.changed",
    "media.filesystem",
    "media.content",
    "media.unreadable",
    "manifest.malformed",
    "manifest.no-entry",
    "manifest.duplicate",
    "manifest.mismatch",
    "digest.weak",
    "signature.malformed",
    "signature.mismatch",
    "certificate.malformed",
    "certificate.untrusted",
    "certificate.expired",
    "certificate.not-yet-valid",
    "certificate.revoked",
    "certificate.crl",
    "certificate.usage",
    "certificate.signer",
    "product.absent",
    "version.not-newer",
    "version.source-too-old",
    "snapshot.unconfirmed",
    "snapshot.expired",
    "hostname.mismatch",
    "hostname.unknown",
    "space.insufficient",
    "packages.unsolvable",
    "packages.locked",
    "packages.damaged",
    "services.unhealthy",
    "sshd.unmanageable",
    "reboot.pending",
    "clock.implausible",
    "check.failed",
    "busy",
    "script.failed",
    "script.prompt-unknown",
    "script.stalled",
    "packages.failed",
    "packages.incomplete",
    "verify.version",
    "verify.packages",
    "verify.unit",
    "verify.status",
    "verify.deadline",
    "verify.journal-error",
    "verify.check",
    "rollback.unavailable",
    "rollback.data",
    "rollback.space",
    "rollback.expired",
    "rollback.failed",
    "state.damaged",
    "state.unknown-format",
    "interrupted",
    "system.failed",
};

template <class Enum, std::size_t N>
std::optional<Enum> from(const std::array<Words, N>& words, std::string_view word) {
    const auto found = std::find(words.begin(), words.end(), word);
    if (found == words.end())
        return std::nullopt;
    return static_cast<Enum>(found - words.begin());
}

} // namespace

std::string_view word(Stage stage) {
    return stage_words.at(static_cast<std::size_t>(stage));
}
std::string_view word(Outcome outcome) {
    return outcome_words.at(static_cast<std::size_t>(outcome));
}
std::string_view word(EventKind kind) {
    return event_words.at(static_cast<std::size_t>(kind));
}
std::string_view word(Reason reason) {
    return reason_words.at(static_cast<std::size_t>(reason));
}

std::optional<Stage> stage_from(std::string_view word) {
    return from<Stage>(stage_words, word);
}
std::optional<Outcome> outcome_from(std::string_view word) {
    return from<Outcome>(outcome_words, word);
}
std::optional<Reason> reason_from(std::string_view word) {
    return from<Reason>(reason_words, word);
}

ExitCode exit_code(Reason reason) {
    // The enumeration keeps the contract's order, so each exit code is a run of it.
    if (reason <= Reason::media_unreadable)
        return ExitCode::media;
    if (reason <= Reason::certificate_signer)
        return ExitCode::not_authentic;
    if (reason <= Reason::check_failed)
        return ExitCode::preflight_refused;
    if (reason >= Reason::rollback_unavailable && reason <= Reason::rollback_expired) // nothing was changed
        return ExitCode::preflight_refused;
    if (reason == Reason::busy)
        return ExitCode::busy;
    if (reason <= Reason::packages_incomplete)
        return ExitCode::apply_failed;
    if (reason <= Reason::verify_check)
        return ExitCode::verification_failed;
    return reason == Reason::system_failed ? ExitCode::internal : ExitCode::needs_manual;
}

bool is_about_media(Reason reason) {
    const auto code = exit_code(reason);
    return code == ExitCode::media || code == ExitCode::not_authentic;
}

} // namespace um
