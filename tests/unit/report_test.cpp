#include "cli/report.hpp"

#include "support/scratch.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

using namespace um;
using nlohmann::json;

namespace {

CheckResult ready() {
    CheckResult result;
    result.state.media = "Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso";
    result.state.from_version = "4.6.0.1";
    result.state.to_version = "4.7.0.0";
    result.state.media_sha256 = std::string(64, 'b');
    result.digests = {{DigestAlgorithm::sha1, std::string(40, 'a')},
                      {DigestAlgorithm::sha256, std::string(64, 'b')}};
    result.signer =
        Signer{"CN=Vendor,O=V", std::string(64, 'c'), "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"};
    return result;
}

const auto full_disk = refusal({Reason::space_insufficient, "/: \"full\"", "delete\nsomething"});
const auto weak_digest = warning({Reason::digest_weak, "SHA-1", ""});

State record(std::optional<Outcome> outcome) {
    State state;
    state.id = "1-2-3";
    state.stage = Stage::apply;
    state.outcome = outcome;
    state.message = "what happened";
    state.hint = "what to do";
    state.from_version = "4.6";
    state.to_version = "4.7";
    state.started = "2026-11-22T09:47:00Z";
    state.attempts = 2;
    return state;
}

std::string situation(const std::optional<State>& state, const Activity& activity = {}) {
    const auto parsed = json::parse(status_json(state, activity));
    EXPECT_EQ(status_text(state, activity).find("    state: " + parsed["state"].get<std::string>() + "\n"),
              0U);
    return parsed["state"];
}

std::string next_of(const std::optional<State>& state, const Activity& activity = {}) {
    const auto parsed = json::parse(status_json(state, activity));
    const auto next = parsed["next"].is_null() ? "" : parsed["next"].get<std::string>();
    EXPECT_NE(status_text(state, activity).find("next: " + next), std::string::npos);
    return next;
}

} // namespace

TEST(CheckReport, IsReadyAsJson) {
    EXPECT_EQ(
        json::parse(check_json(ready())),
        json::parse(R"({"outcome": "ready", "media": "Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso",
                "from_version": "4.6.0.1", "to_version": "4.7.0.0", "sha256": ")" +
                    std::string(64, 'b') + R"(", "digests": {"SHA-1": ")" + std::string(40, 'a') +
                    R"(", "SHA-256": ")" + std::string(64, 'b') +
                    R"("}, "failure": null, "signer": {"subject": "CN=Vendor,O=V", "fingerprint": "sha256:)" +
                    std::string(64, 'c') + R"(", "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2027-01-01T00:00:00Z"}, "findings": [], "rollback": {"mode": "off", "available": false,
                "links": 0, "copies": 0, "bytes": 0, "seconds": 0.0, "packages": 0, "trees": [], "stores": []},
                "note": null})"));
}

TEST(CheckReport, DeclaresWhatKeepingWouldTake) {
    auto result = ready();
    result.rollback = RollbackMode::automatic;
    EXPECT_TRUE(json::parse(check_json(result))["rollback"].is_null()); // its cost is not known
    result.rollback_cost = RollbackCost{
        {{{"/boot/.um-upgrade", 3 << 20, 5}}, 1234, 56, 12 << 20}, 3.6499, 33, {"/boot", "/etc"}};
    EXPECT_NE(
        check_text(result).find("rollback: 1234 links and 56 copies of 12.0 MiB would be kept, in about 4 s"),
        std::string::npos);
    EXPECT_EQ(
        json::parse(check_json(result))["rollback"],
        json::parse(R"({"mode": "auto", "available": true, "links": 1234, "copies": 56, "bytes": 12582912,
                "seconds": 3.6, "packages": 33, "trees": ["/boot", "/etc"],
                "stores": [{"directory": "/boot/.um-upgrade", "bytes": 3145728, "files": 5}]})"));
    EXPECT_NE(check_text(result).find("every package's files (33 packages would be installed), /boot, /etc"),
              std::string::npos);
    EXPECT_NE(check_text(result).find("3.0 MiB and 5 files in /boot/.um-upgrade"), std::string::npos);
}

TEST(CheckReport, SaysWhatEndedItBesideWhatItFound) {
    auto result = ready();
    result.findings = {full_disk};
    result.failure = "read '/x': Input/output error";
    const auto parsed = json::parse(check_json(result));
    EXPECT_EQ(parsed["outcome"], "failed");
    EXPECT_EQ(parsed["failure"], result.failure);
    EXPECT_EQ(parsed["findings"].size(), 1U);
    EXPECT_NE(check_text(result).find("the check itself failed: " + result.failure), std::string::npos);
}

TEST(CheckReport, ListsEveryFindingAsJson) {
    auto result = ready();
    result.findings = {weak_digest, full_disk};
    const auto parsed = json::parse(check_json(result));
    EXPECT_EQ(parsed["outcome"], "refused");
    EXPECT_EQ(
        parsed["findings"],
        json::parse(R"([{"severity": "warning", "reason": "digest.weak", "message": "SHA-1", "hint": null},
                {"severity": "refusal", "reason": "space.insufficient", "message": "/: \"full\"",
                 "hint": "delete\nsomething"}])"));
}

TEST(CheckReport, IsReadyWithWarningsAlone) {
    auto result = ready();
    result.findings = {weak_digest};
    EXPECT_EQ(json::parse(check_json(result))["outcome"], "ready");
}

TEST(CheckReport, IsRefusedWhereAPersonMustDecideFirst) {
    CheckResult result;
    result.nothing_to_do = result.needs_person = true;
    result.findings = {full_disk};
    EXPECT_EQ(json::parse(check_json(result))["outcome"], "refused");
    EXPECT_NE(check_text(result).find("would be refused"), std::string::npos);
}

TEST(CheckReport, SaysNothingOfWhatIsNotKnown) {
    CheckResult result;
    result.nothing_to_do = true;
    const auto parsed = json::parse(check_json(result));
    EXPECT_EQ(parsed["outcome"], "nothing-to-do");
    for (const auto* key : {"media", "from_version", "to_version", "sha256", "signer"})
        EXPECT_TRUE(parsed.at(key).is_null()) << key;
}

TEST(CheckReport, StaysJsonWhateverBytesANameHolds) {
    auto result = ready();
    result.signer->subject = "CN=\xFF\xFE\x01\"\\";
    EXPECT_TRUE(json::accept(check_json(result)));
}

TEST(CheckReport, IsWhatItsSchemaSays) {
    CheckResult nothing;
    nothing.nothing_to_do = true;
    auto full = ready();
    full.findings = {weak_digest, full_disk};
    auto failed = ready();
    failed.failure = "read '/x': Input/output error";
    failed.signer.reset();
    const um::test::Scratch scratch;
    const auto valid = [&](const std::string& text) {
        return um::test::shell("/usr/bin/python3 -m jsonschema -i " + scratch.file("check.json", text) +
                               " " UM_SOURCE "/agent/check.schema.json 2>&1");
    };
    for (const auto& result : {ready(), nothing, full, failed}) {
        const auto said = valid(check_json(result));
        EXPECT_EQ(said.status, 0) << said.output;
    }
    auto wrong = json::parse(check_json(full));
    wrong["findings"][0].erase("hint");
    EXPECT_NE(valid(wrong.dump()).status, 0);
}

TEST(CheckReport, FitsATerminal) {
    auto result = ready();
    result.findings = {
        refusal({Reason::hostname_mismatch,
                 "Detected wrong hostname. Expected hostname: a.example.test, but found: b.example.test",
                 "change the host name, then generate a new certificate, or import one"})};
    const auto text = check_text(result, 60);
    EXPECT_NE(text.find("  refused: Detected wrong hostname. Expected hostname:\n"
                        "           a.example.test, but found: b.example.test\n"
                        "           [hostname.mismatch]\n"
                        "           -> change the host name, then generate a new\n"
                        "              certificate, or import one\n"),
              std::string::npos)
        << text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(line.size() <= 60 || line.find(' ', 12) == std::string::npos) << line;
}

TEST(CheckReport, IsReadByAPerson) {
    auto result = ready();
    result.findings = {full_disk};
    const auto text = check_text(result);
    for (const std::string part :
         {"    media: Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso\n", "  upgrade: 4.6.0.1 -> 4.7.0.0\n",
          "   signer: CN=Vendor,O=V\n", "  refused: /: \"full\" [space.insufficient]\n",
          "           -> delete\nsomething\n",
          "   result: the upgrade would be refused; nothing was changed\n"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "in\n" << text;
    EXPECT_NE(check_text(ready()).find("   result: ready to upgrade\n"), std::string::npos);
}

TEST(StatusReport, HasAWordForEverySituation) {
    auto at_reboot = record(std::nullopt);
    at_reboot.stage = Stage::reboot;
    auto abandoned = record(Outcome::needs_manual);
    abandoned.abandoned = "reverted";
    EXPECT_EQ(situation(std::nullopt), "idle");
    EXPECT_EQ(situation(record(std::nullopt)), "interrupted");
    EXPECT_EQ(situation(record(std::nullopt), {true, "apply: x"}), "running");
    at_reboot.boot_id = "this";
    EXPECT_EQ(situation(at_reboot, {false, "", "this"}), "waiting-for-reboot");
    EXPECT_EQ(situation(at_reboot, {false, "", "the next"}), "interrupted"); // else it would reboot forever
    auto rolled_back = record(std::nullopt);
    rolled_back.boot_id = "this";
    rolled_back.rollback = RollbackStep::due;
    EXPECT_EQ(situation(rolled_back, {false, "", "this"}), "waiting-for-reboot");
    EXPECT_EQ(situation(rolled_back, {false, "", "the next"}), "interrupted");
    EXPECT_EQ(situation(record(Outcome::succeeded)), "idle");
    EXPECT_EQ(situation(record(Outcome::refused)), "idle");
    EXPECT_EQ(situation(record(Outcome::needs_manual)), "needs-manual");
    EXPECT_EQ(situation(abandoned), "idle");
}

TEST(StatusReport, SaysWhatToDoNext) {
    EXPECT_NE(next_of(std::nullopt).find("um-upgrade check"), std::string::npos);
    EXPECT_EQ(next_of(record(Outcome::refused)), "what to do");
    EXPECT_EQ(next_of(record(Outcome::needs_manual)),
              "what to do; to keep the appliance as it is: um-upgrade abandon --why TEXT");
    auto cut_off = record(Outcome::needs_manual);
    cut_off.change = Change::begun;
    cut_off.reason = Reason::media_none;
    EXPECT_EQ(next_of(cut_off), "what to do; continue with 'systemctl start um-upgrade', or close it with "
                                "'um-upgrade abandon --why TEXT'");
    EXPECT_NE(next_of(record(std::nullopt)).find("systemctl start um-upgrade"), std::string::npos);
    EXPECT_NE(next_of(record(std::nullopt), {true, ""}).find("--follow"), std::string::npos);
}

TEST(StatusReport, HoldsTheWholeRecordAsJson) {
    auto state = record(Outcome::failed);
    state.reason = Reason::script_failed;
    state.finished = "2026-11-22T09:48:00Z";
    const auto parsed = json::parse(status_json(state, {false, ""}));
    EXPECT_EQ(parsed["upgrade"],
              json::parse(R"({"id": "1-2-3", "stage": "apply", "outcome": "failed", "reason": "script.failed",
                "message": "what happened", "hint": "what to do", "from_version": "4.6", "to_version": "4.7",
                "media": null, "media_sha256": null, "signer": null, "attempts": 2,
                "started": "2026-11-22T09:47:00Z", "finished": "2026-11-22T09:48:00Z", "abandoned": null})"));
}

TEST(HistoryReport, IsALineForEachUpgrade) {
    auto refused = record(Outcome::refused);
    refused.reason = Reason::snapshot_unconfirmed;
    EXPECT_EQ(history_text({record(Outcome::succeeded), refused}),
              "2026-11-22T09:47:00Z  1-2-3  succeeded               4.6 -> 4.7\n"
              "2026-11-22T09:47:00Z  1-2-3  refused                 4.6 -> 4.7  [snapshot.unconfirmed]\n");
    EXPECT_EQ(history_text({}), "");
}

TEST(HistoryReport, ShowsAnUpgradeInFull) {
    auto state = record(Outcome::failed);
    state.media = "x.iso";
    state.media_sha256 = std::string(64, 'a');
    state.signer = "CN=Vendor";
    state.finished = "2026-11-22T09:48:00Z";
    state.reason = Reason::script_failed;
    state.abandoned = "seen to";
    EXPECT_EQ(record_text(state), "  upgrade: 1-2-3 (4.6 -> 4.7)\n"
                                  "    media: x.iso\n"
                                  "   sha256: " +
                                      std::string(64, 'a') +
                                      "\n"
                                      "   signer: CN=Vendor\n"
                                      "  started: 2026-11-22T09:47:00Z\n"
                                      "    ended: 2026-11-22T09:48:00Z\n"
                                      " attempts: 2\n"
                                      "    stage: apply\n"
                                      "  outcome: failed\n"
                                      "   reason: script.failed\n"
                                      "  message: what happened\n"
                                      "           -> what to do\n"
                                      "abandoned: seen to\n");
}

TEST(HistoryReport, ShowsVersionsThatNobodyKnew) {
    auto state = record(Outcome::refused);
    state.from_version.clear();
    state.to_version.clear();
    EXPECT_NE(history_text({state}).find("? -> ?"), std::string::npos);
    EXPECT_NE(status_text(state, {}).find("1-2-3 (? -> ?)"), std::string::npos);
}

TEST(HistoryReport, IsAListOfRecordsAsJson) {
    const auto parsed = json::parse(history_json({record(Outcome::succeeded), record(Outcome::failed)}));
    ASSERT_EQ(parsed.size(), 2U);
    EXPECT_EQ(parsed[1]["outcome"], "failed");
    EXPECT_EQ(json::parse(history_json({})), json::array());
}

TEST(StatusReport, TellsHowLongAnUpgradeCanBeRolledBack) {
    auto state = record(Outcome::succeeded);
    state.has_kept_files = true;
    state.kept_until = "2026-11-29T09:47:00Z";
    EXPECT_NE(status_text(state, {}).find("rollback: possible until 2026-11-29T09:47:00Z\n"),
              std::string::npos);
    state.kept_summary = "3 links, 2 copies, 1.0 MiB";
    EXPECT_NE(status_text(state, {}).find("possible until 2026-11-29T09:47:00Z: 3 links, 2 copies, 1.0 MiB"),
              std::string::npos);
    EXPECT_EQ(json::parse(status_json(state, {}))["way_back"]["kept"], state.kept_summary);
    EXPECT_EQ(json::parse(status_json(state, {}))["way_back"]["until"], "2026-11-29T09:47:00Z");
    state.has_kept_files = false;
    EXPECT_EQ(status_text(state, {}).find("rollback"), std::string::npos);
    EXPECT_TRUE(json::parse(status_json(state, {}))["way_back"].is_null());
}

TEST(StatusReport, SaysWhichRebootAnUpgradeThatIsRolledBackWaitsFor) {
    auto state = record(std::nullopt);
    state.rollback = RollbackStep::due;
    const auto text = status_text(state, {});
    EXPECT_NE(text.find("waiting-for-reboot"), std::string::npos);
    EXPECT_NE(text.find("rolled back in that boot"), std::string::npos);
}
