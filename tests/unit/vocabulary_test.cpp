#include "base/vocabulary.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

using namespace um;

namespace {

template <class Enum>
std::string words(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += (i == 0 ? "" : " ") + std::string(word(static_cast<Enum>(i)));
    return text;
}

constexpr std::size_t stages = static_cast<std::size_t>(Stage::verify) + 1;
constexpr std::size_t outcomes = static_cast<std::size_t>(Outcome::nothing_to_do) + 1;

/// The reasons with the exit code `code`, in the order of the contract.
std::string reasons_ending(ExitCode code) {
    std::string text;
    for (std::size_t i = 0; i < reasons; ++i)
        if (exit_code(static_cast<Reason>(i)) == code)
            text += (text.empty() ? "" : " ") + std::string(word(static_cast<Reason>(i)));
    return text;
}

} // namespace

TEST(Vocabulary, HasTheContractsStages) {
    EXPECT_EQ(words<Stage>(stages), "find authenticate mount preflight prepare apply reboot verify");
}

TEST(Vocabulary, HasTheContractsOutcomes) {
    EXPECT_EQ(words<Outcome>(outcomes),
              "succeeded succeeded-with-warnings refused failed rolled-back needs-manual nothing-to-do");
}

TEST(Vocabulary, HasTheContractsEvents) {
    EXPECT_EQ(words<EventKind>(event_kinds),
              "upgrade-started stage-started stage-finished stage-failed refused warning prompt-answered "
              "reboot-requested upgrade-resumed rollback-started rollback-finished upgrade-finished "
              "snapshot-confirmed abandoned");
}

TEST(Vocabulary, ReadsBackEveryStage) {
    for (std::size_t i = 0; i < stages; ++i)
        EXPECT_EQ(stage_from(word(static_cast<Stage>(i))), static_cast<Stage>(i));
}

TEST(Vocabulary, ReadsBackEveryOutcome) {
    for (std::size_t i = 0; i < outcomes; ++i)
        EXPECT_EQ(outcome_from(word(static_cast<Outcome>(i))), static_cast<Outcome>(i));
}

TEST(Vocabulary, ReadsBackEveryReasonAndNoneTwice) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < reasons; ++i) {
        const auto reason = static_cast<Reason>(i);
        EXPECT_EQ(reason_from(word(reason)), reason);
        EXPECT_TRUE(seen.insert(word(reason)).second) << word(reason);
    }
}

TEST(Vocabulary, KnowsNoOtherWords) {
    for (const auto* text : {"", "Find", "find ", "verify\n", "media.", "media", "unknown"}) {
        EXPECT_FALSE(stage_from(text)) << text;
        EXPECT_FALSE(outcome_from(text)) << text;
        EXPECT_FALSE(reason_from(text)) << text;
    }
}

TEST(Vocabulary, EndsEachGroupOfReasonsWithItsExitCode) {
    EXPECT_EQ(reasons_ending(ExitCode::media),
              "media.none media.ambiguous media.insecure media.sidecar-missing media.name media.changed "
              "media.filesystem media.content media.unreadable");
    EXPECT_EQ(reasons_ending(ExitCode::not_authentic),
              "manifest.malformed manifest.no-entry manifest.duplicate manifest.mismatch digest.weak "
              "signature.malformed signature.mismatch certificate.malformed certificate.untrusted "
              "certificate.expired certificate.not-yet-valid certificate.revoked certificate.crl "
              "certificate.usage certificate.signer");
    EXPECT_EQ(reasons_ending(ExitCode::preflight_refused),
              "product.absent version.not-newer version.source-too-old snapshot.unconfirmed "
              "snapshot.expired hostname.mismatch hostname.unknown space.insufficient packages.unsolvable "
              "packages.locked packages.damaged services.unhealthy sshd.unmanageable reboot.pending "
              "clock.implausible check.failed rollback.unavailable rollback.data "
              "rollback.space rollback.expired");
    EXPECT_EQ(reasons_ending(ExitCode::busy), "busy");
    EXPECT_EQ(reasons_ending(ExitCode::apply_failed),
              "script.failed script.prompt-unknown script.stalled packages.failed packages.incomplete");
    EXPECT_EQ(reasons_ending(ExitCode::verification_failed),
              "verify.version verify.packages verify.unit verify.status verify.deadline "
              "verify.journal-error verify.check");
    EXPECT_EQ(reasons_ending(ExitCode::needs_manual),
              "rollback.failed state.damaged state.unknown-format interrupted");
    EXPECT_EQ(reasons_ending(ExitCode::internal), "system.failed");
}
