#include "base/text.hpp"
#include "upgrade/audit.hpp"

#include "support/fake_journal.hpp"
#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <unistd.h>

using namespace um;
using um::test::field;

namespace {

/// An audit that keeps its entries for the tests. What it prints is captured.
struct Audited {
    Audited() { testing::internal::CaptureStdout(); }
    Audited(const Audited&) = delete;
    Audited& operator=(const Audited&) = delete;
    ~Audited() {
        if (!printed_)
            testing::internal::GetCapturedStdout();
    }
    std::string printed() {
        printed_ = true;
        return testing::internal::GetCapturedStdout();
    }
    std::map<std::string, std::string> last() const {
        const auto& fields = journal.entries.back();
        std::map<std::string, std::string> result(fields.begin(), fields.end());
        EXPECT_EQ(result.size(), fields.size()) << "a field stands there twice";
        return result;
    }

    test::FakeJournal journal;
    Console console;
    Audit audit{journal, console};

private:
    bool printed_ = false;
};

State known_state() {
    State state;
    state.id = "5f6c0d1e-0000-4000-8000-000000000001";
    state.stage = Stage::preflight;
    state.from_version = "4.6.0.1";
    state.to_version = "4.7.0.0";
    state.media = "Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso";
    state.media_sha256 = std::string(64, 'b');
    state.signer = "CN=Vendor";
    return state;
}

struct CatalogEntry {
    std::string id;
    std::string subject;
    std::string body;
};

std::vector<CatalogEntry> catalog(const std::string& name) {
    std::vector<CatalogEntry> entries;
    std::istringstream lines(test::text_of(UM_SOURCE "/units/" + name));
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("-- ", 0) == 0)
            entries.push_back({line.substr(3), "", ""});
        else if (!entries.empty() && line.rfind("Subject: ", 0) == 0)
            entries.back().subject = line.substr(9);
        else if (!entries.empty())
            entries.back().body += line + "\n";
    }
    return entries;
}

} // namespace

TEST(Audit, WritesTheContractsFields) {
    Audited audited;
    audited.audit.event(EventKind::stage_finished, known_state(),
                        {"all is well", "", Stage::preflight, std::nullopt, std::nullopt,
                         std::chrono::microseconds(1234567)});
    EXPECT_EQ(audited.last(), (std::map<std::string, std::string>{
                                  {"MESSAGE", "all is well"},
                                  {"MESSAGE_ID", std::string(message_id(EventKind::stage_finished))},
                                  {"PRIORITY", "6"},
                                  {"SYSLOG_IDENTIFIER", "um-upgrade"},
                                  {"UM_EVENT", "stage-finished"},
                                  {"UM_STAGE", "preflight"},
                                  {"UM_DURATION_USEC", "1234567"},
                                  {"UM_UPGRADE_ID", "5f6c0d1e-0000-4000-8000-000000000001"},
                                  {"UM_FROM_VERSION", "4.6.0.1"},
                                  {"UM_TO_VERSION", "4.7.0.0"},
                                  {"UM_MEDIA", "Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso"},
                                  {"UM_MEDIA_SHA256", std::string(64, 'b')},
                                  {"UM_SIGNER", "CN=Vendor"}}));
}

TEST(Audit, LeavesOutWhatIsNotKnownYet) {
    Audited audited;
    State state;
    state.id = "1";
    audited.audit.event(EventKind::upgrade_started, state, {"started", {}, {}, {}, {}, {}});
    EXPECT_EQ(audited.last(), (std::map<std::string, std::string>{
                                  {"MESSAGE", "started"},
                                  {"MESSAGE_ID", std::string(message_id(EventKind::upgrade_started))},
                                  {"PRIORITY", "5"},
                                  {"SYSLOG_IDENTIFIER", "um-upgrade"},
                                  {"UM_EVENT", "upgrade-started"},
                                  {"UM_UPGRADE_ID", "1"}}));
}

TEST(Audit, NamesOutcomeReasonAndHint) {
    Audited audited;
    audited.audit.event(EventKind::upgrade_finished, known_state(),
                        {"it failed", "mend it", {}, Outcome::needs_manual, Reason::script_failed, {}});
    const auto fields = audited.last();
    EXPECT_EQ(fields.at("UM_OUTCOME"), "needs-manual");
    EXPECT_EQ(fields.at("UM_REASON"), "script.failed");
    EXPECT_EQ(fields.at("MESSAGE"), "it failed (mend it)");
    EXPECT_EQ(fields.at("PRIORITY"), "2");
}

TEST(Audit, WritesAFindingWithTheStageAtWork) {
    Audited audited;
    audited.audit.finding(EventKind::warning, known_state(), warning({Reason::digest_weak, "SHA-1", ""}));
    const auto fields = audited.last();
    EXPECT_EQ(fields.at("UM_EVENT"), "warning");
    EXPECT_EQ(fields.at("UM_STAGE"), "preflight");
    EXPECT_EQ(fields.at("UM_REASON"), "digest.weak");
    EXPECT_EQ(fields.at("PRIORITY"), "4");
}

TEST(Audit, WritesCharactersWhateverItIsGiven) {
    Audited audited;
    audited.audit.event(EventKind::warning, known_state(), {"caf\xc3\xa9 \xe3\x81 end", {}, {}, {}, {}, {}});
    EXPECT_EQ(audited.last().at("MESSAGE"), "caf\xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd end");
}

TEST(Text, IsCutBetweenCharacters) {
    const std::string text = "a\xe3\x81\x82z";
    EXPECT_EQ(cut(text, 9), text);
    EXPECT_EQ(cut(text, 5), text);
    EXPECT_EQ(cut(text, 4), "a\xe3\x81\x82");
    EXPECT_EQ(cut(text, 3), "a");
    EXPECT_EQ(cut(text, 0), "");
}

TEST(Audit, GivesEachKindOfEventItsPriority) {
    Audited audited;
    std::string priorities;
    for (std::size_t kind = 0; kind < event_kinds; ++kind) {
        audited.audit.event(static_cast<EventKind>(kind), known_state(), {"x", {}, {}, {}, {}, {}});
        priorities += audited.last().at("PRIORITY");
    }
    EXPECT_EQ(priorities, "56633465555555"); // in the order of the words of the contract
}

TEST(Audit, KeepsTheScriptsLinesApartFromEvents) {
    Audited audited;
    auto state = known_state();
    state.stage = Stage::apply;
    audited.audit.output(state, "Updating: jre");
    EXPECT_EQ(audited.last(),
              (std::map<std::string, std::string>{{"MESSAGE", "Updating: jre"},
                                                  {"PRIORITY", "7"},
                                                  {"SYSLOG_IDENTIFIER", "upgrade-um"},
                                                  {"UM_UPGRADE_ID", "5f6c0d1e-0000-4000-8000-000000000001"},
                                                  {"UM_STAGE", "apply"}}));
    audited.audit.output(state, "");
    EXPECT_EQ(audited.last().at("MESSAGE"), " "); // journald requires a MESSAGE
}

TEST(Audit, SaysProgressToTheServiceManager) {
    Audited audited;
    audited.audit.progress("authenticate: 12 %");
    EXPECT_EQ(audited.journal.statuses, (std::vector<std::string>{"authenticate: 12 %"}));
    EXPECT_TRUE(audited.journal.entries.empty());
}

TEST(Audit, TellsAPersonWhatWasRefusedAndTheWayOut) {
    ::unsetenv("JOURNAL_STREAM");
    Audited audited;
    audited.audit.finding(EventKind::refused, known_state(),
                          refusal({Reason::space_insufficient, "/: full", "delete something"}));
    EXPECT_EQ(audited.printed(),
              "preflight    REFUSED: /: full [space.insufficient]\n    -> delete something\n");
}

TEST(Audit, ShowsAPersonARefusalOnce) {
    ::unsetenv("JOURNAL_STREAM");
    Audited audited;
    audited.audit.finding(EventKind::refused, known_state(),
                          refusal({Reason::space_insufficient, "/: full", "delete something"}));
    audited.audit.event(EventKind::upgrade_finished, known_state(),
                        {"refused: /: full", "delete something", {}, Outcome::refused, {}, {}});
    EXPECT_EQ(audited.last().at("MESSAGE"), "refused: /: full (delete something)");
    EXPECT_EQ(audited.printed(),
              "preflight    REFUSED: /: full [space.insufficient]\n    -> delete something\n"
              "refused: nothing was changed\n");
}

TEST(Audit, ShowsTheWayOutAgainWhereAPersonMustDecide) {
    ::unsetenv("JOURNAL_STREAM");
    Audited audited;
    for (const auto* message : {"one failed", "two failed"})
        audited.audit.finding(EventKind::stage_failed, known_state(),
                              refusal({Reason::verify_unit, message, "wait"}));
    audited.audit.event(EventKind::upgrade_finished, known_state(),
                        {"needs-manual: one failed", "look", {}, Outcome::needs_manual, {}, {}});
    EXPECT_TRUE(audited.printed().ends_with(
        "\nneeds-manual: a person must decide; see 'um-upgrade status'\n    -> look\n"));
}

TEST(Audit, WritesNotesThatAreNoEvents) {
    Audited audited;
    auto state = known_state();
    audited.audit.note(state, "12 put back", std::chrono::seconds(3));
    const auto fields = audited.last();
    EXPECT_EQ(fields.at("MESSAGE"), "12 put back");
    EXPECT_EQ(fields.at("SYSLOG_IDENTIFIER"), "um-upgrade");
    EXPECT_EQ(fields.at("UM_DURATION_USEC"), "3000000");
    EXPECT_EQ(fields.at("UM_UPGRADE_ID"), state.id);
    EXPECT_EQ(fields.count("UM_EVENT"), 0U);
}

TEST(Audit, TellsNobodyWhereStandardOutputIsTheJournal) {
    testing::internal::CaptureStdout();
    for (const auto& stream : {test::journal_stream(STDOUT_FILENO), std::string("8:1")}) { // redirected since
        ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
        Console().line(stream);
    }
    ::unsetenv("JOURNAL_STREAM");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "8:1\n");
}

TEST(Console, LeavesStandardOutputToWhatIsPrintedForAMachine) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Console(STDERR_FILENO).line("a message");
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "a message\n");
}

TEST(MessageId, IsThirtyTwoHexadecimalDigitsAndUnlikeTheOthers) {
    std::set<std::string_view> seen;
    for (std::size_t kind = 0; kind < event_kinds; ++kind) {
        const auto id = message_id(static_cast<EventKind>(kind));
        EXPECT_EQ(id.size(), 32U);
        EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string_view::npos);
        EXPECT_TRUE(seen.insert(id).second) << id;
    }
}

TEST(Catalog, ExplainsEveryEventInBothLanguages) {
    for (const auto* name : {"um-upgrade.catalog", "um-upgrade.ja.catalog"}) {
        const auto entries = catalog(name);
        for (std::size_t i = 0; i < event_kinds; ++i) {
            const auto kind = static_cast<EventKind>(i);
            EXPECT_EQ(std::count_if(entries.begin(), entries.end(),
                                    [&](const auto& entry) { return entry.id == message_id(kind); }),
                      1)
                << name << ": " << word(kind);
        }
    }
}

TEST(Catalog, HoldsNothingElseAndNothingEmpty) {
    for (const auto* name : {"um-upgrade.catalog", "um-upgrade.ja.catalog"})
        for (const auto& entry : catalog(name)) {
            bool known = false;
            for (std::size_t kind = 0; kind < event_kinds; ++kind)
                known = known || entry.id == message_id(static_cast<EventKind>(kind));
            EXPECT_TRUE(known) << name << ": " << entry.id;
            EXPECT_FALSE(entry.subject.empty()) << name << ": " << entry.id;
            EXPECT_GT(entry.body.size(), 60U) << name << ": " << entry.id;
        }
}

TEST(Catalog, SpeaksOfFieldsThatEventsHave) {
    const std::set<std::string> fields{
        "UM_UPGRADE_ID",   "UM_EVENT",      "UM_STAGE", "UM_OUTCOME",      "UM_REASON", "UM_DURATION_USEC",
        "UM_FROM_VERSION", "UM_TO_VERSION", "UM_MEDIA", "UM_MEDIA_SHA256", "UM_SIGNER", "MESSAGE"};
    for (const auto* name : {"um-upgrade.catalog", "um-upgrade.ja.catalog"}) {
        const auto text = test::text_of(std::string(UM_SOURCE "/units/") + name);
        for (auto at = text.find('@'); at != std::string::npos;) {
            const auto end = text.find('@', at + 1);
            ASSERT_NE(end, std::string::npos);
            EXPECT_EQ(fields.count(text.substr(at + 1, end - at - 1)), 1U) << text.substr(at, end - at + 1);
            at = text.find('@', end + 1);
        }
    }
}
