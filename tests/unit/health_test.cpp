#include "checks/product.hpp"
#include "checks/status_report.hpp"
#include "checks/unit_health.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

/// "service=state" for each line that counts.
std::string read(const std::string& report) {
    static const char* states[] = {"running", "errors", "offline"};
    std::string text;
    for (const auto& line : parse_status_report(report))
        text += (text.empty() ? "" : " ") + line.service + "=" + states[static_cast<int>(line.state)];
    return text;
}

std::string text_of(const std::vector<Finding>& findings) {
    std::string text;
    for (const auto& finding : findings)
        text += std::string(finding.severity == Finding::Severity::warning ? "warning " : "") +
                std::string(word(finding.reason)) + ": " + finding.message + "\n";
    return text;
}

const InstalledTruth good_truth{"4.7.0.0", {}, true};

std::string verdict_on(const InstalledTruth& truth) {
    return text_of(judge_installed(truth, "4.7.0.0", "/the.log"));
}

std::string verdict_on(const std::vector<UnitHealth>& units, const Unhealthy& before = {}) {
    return text_of(judge_units(units, before));
}

std::string verdict_on(const StatusReport& report, const Unhealthy& before = {}) {
    return text_of(judge_status(report, "/the.log", {}, before));
}

LogFile log_file(const std::string& path, int minute) {
    return {path, 1, std::chrono::system_clock::time_point(std::chrono::minutes(minute)), path};
}

} // namespace

TEST(StatusReport, ReadsTheThreeStates) {
    EXPECT_EQ(read("journal: Running\nlogin: Running with errors\nvcd: Offline\n"),
              "journal=running login=errors vcd=offline");
}

TEST(StatusReport, ReadsOtherShapes) {
    EXPECT_EQ(read("Running"), "=running");
    EXPECT_EQ(read("OFFLINE\n"), "=offline");
    EXPECT_EQ(read("journal ........ [Running]"),
              ""); // a bracket after the state is not a known form
    EXPECT_EQ(read("  journal      Running.  \n"), "journal=running");
    EXPECT_EQ(read("journal - running\r\nlogin = RUNNING\r\n"), "journal=running login=running");
    EXPECT_EQ(read("VMware UM journal: \x1b[32mRunning\x1b[0m\n"), "vmware um journal=running");
    EXPECT_EQ(read("journal is not running"), "journal is not=offline");
    EXPECT_EQ(read("not running\nrunning\n"), "not=offline =running");
}

TEST(StatusReport, PassesOverAllElse) {
    EXPECT_EQ(read(""), "");
    EXPECT_EQ(read("Status of services\n-----------\n\n"), "");
    EXPECT_EQ(read("Running services: 3\n"), "");
    EXPECT_EQ(read("the overrunning\nonline\nforerunning\n"), "");
    EXPECT_EQ(read("\x1b"), "");
}

TEST(InstalledTruth, HasNothingToSayWhenAllIsAsItShouldBe) {
    EXPECT_EQ(verdict_on(good_truth), "");
}

TEST(InstalledTruth, FailsForAnotherVersion) {
    auto truth = good_truth;
    truth.version = "4.6.0.1";
    EXPECT_EQ(verdict_on(truth), "verify.version: version 4.7.0.0 was expected, 4.6.0.1 is installed\n");
    truth.version.reset();
    EXPECT_EQ(verdict_on(truth), "verify.version: version 4.7.0.0 was expected, none is installed\n");
}

TEST(InstalledTruth, FailsWithoutTheProductsDirectoryAndForPackages) {
    auto truth = good_truth;
    truth.product_in_place = false;
    truth.packages = {"a is at 1, the media bring 2"};
    EXPECT_EQ(verdict_on(truth),
              "verify.version: /opt/vmware/cloudusagemetering is not in place\n"
              "verify.packages: 1 packages are not as the media brought them; the first: a is "
              "at 1, the media bring 2\n");
}

TEST(Units, AreWellWhenTheyHaveBeenActiveForAWhile) {
    EXPECT_EQ(verdict_on({{"a.service", "active", 0, steady_time}}), "");
}

TEST(Units, FailWhenTheyAreNotActive) {
    EXPECT_EQ(verdict_on({{"a.service", "failed", 0, {}}, {"b.service", "not installed", 0, {}}}),
              "verify.unit: a.service is failed\nverify.unit: b.service is not installed\n");
}

TEST(Units, ThatAreStillStartingHaveADeadline) {
    EXPECT_EQ(verdict_on({{"a.service", "activating", 0, {}}}),
              "verify.deadline: a.service is still activating\n");
}

TEST(Units, ThatAreBetweenTwoStartsDoNotStayUp) {
    EXPECT_EQ(verdict_on({{"a.service", "activating", 1, {}}}),
              "verify.unit: a.service does not stay up: restarted 1 times since the boot, and is starting\n");
}

TEST(Units, ThatCrashTwentySecondsAfterEachStartDoNotStayUp) {
    EXPECT_EQ(verdict_on({{"a.service", "active", 4, std::chrono::seconds(20)}}),
              "verify.unit: a.service does not stay up: restarted 4 times since the boot, active for 20 s\n");
    EXPECT_EQ(
        verdict_on({{"a.service", "active", 4, std::chrono::seconds(40)}}),
        "warning verify.unit: a.service was restarted 4 times since the boot, and is active for 40 s\n");
}

TEST(Units, ThatWereNotWellBeforeAreToldApart) {
    EXPECT_EQ(verdict_on({{"a.service", "failed", 0, {}}, {"b.service", "failed", 0, {}}}, {"a.service"}),
              "warning verify.unit: a.service is failed (it was also unhealthy before the upgrade)\n"
              "verify.unit: b.service is failed\n");
}

TEST(Health, TellsWhichUnitsMayBeTheProducts) {
    EXPECT_EQ(units_of_product({"b.service"},
                               {"a: Running\nb Offline\nvCloud Usage Meter 4.7: Running\n", 0, false}),
              (std::vector<std::string>{"b.service", "a.service"}));
}

TEST(Unhealthy, IsWhoIsCertainlyNotWell) {
    const StatusReport report{"journal: Offline\nlogin: Running\nvcd: Running with errors\n", 0, false};
    EXPECT_EQ(unhealthy_before({{"a.service", "failed", 0, {}},
                                {"b.service", "not installed", 0, {}},
                                {"c.service", "active", 9, std::chrono::seconds(1)},
                                {"d.service", "unknown (D-Bus is away)", 0, {}}},
                               report),
              (Unhealthy{"a.service", "journal"}));
    EXPECT_EQ(with_errors(report), Unhealthy{"vcd"}); // that does not excuse Offline afterwards
    EXPECT_EQ(unhealthy_before({}, {"", 0, true}), (Unhealthy{"status.sh"}));
    EXPECT_EQ(unhealthy_from(to_text({"a.service", "VMware UM journal"})),
              (Unhealthy{"a.service", "VMware UM journal"}));
    EXPECT_EQ(unhealthy_from(""), Unhealthy{});
}

TEST(Unhealthy, MayOnlyBeLate) {
    const StatusReport well{"journal: Running\n", 0, false};
    EXPECT_FALSE(is_coming_up({{"a.service", "active", 0, {}}, {"b.service", "failed", 0, {}}}, well));
    EXPECT_TRUE(is_coming_up({{"a.service", "activating", 0, {}}}, well));
    EXPECT_TRUE(is_coming_up({}, {"journal: Offline\n", 0, false}));
    EXPECT_TRUE(is_coming_up({}, {"", 0, true}));
}

TEST(StatusReport, IsNotBelievedToBeHarmless) {
    std::string report = "a|b\x07\x1b]0;title\x07: Offline\n" + std::string(500, 'n') + ": Offline\n";
    for (int i = 0; i < 1000; ++i)
        report += "service: Offline\n";
    const auto lines = parse_status_report(report);
    EXPECT_LE(lines.size(), 200U);
    for (const auto& line : lines) {
        EXPECT_LE(line.service.size(), 80U);
        EXPECT_EQ(line.service.find_first_of("|\x07\x1b"), std::string::npos) << line.service;
    }
}

TEST(Status, FailsForAnOfflineServiceAndWarnsOfErrors) {
    EXPECT_EQ(verdict_on({"journal: Offline\nRunning with errors\nlogin: Running\n", 0, false}),
              "verify.status: status.sh: journal is Offline\n"
              "warning verify.status: status.sh: the product is Running with errors\n");
    EXPECT_EQ(
        verdict_on({"journal: Offline\n", 0, false}, {"journal"}),
        "warning verify.status: status.sh: journal is Offline (it was also unhealthy before the upgrade)\n");
}

TEST(Status, PointsAtTheNewestLogOfAServiceWithErrorsAndAtTheUpgradesForOffline) {
    const std::vector<LogFile> logs{log_file("/logs/vmware-um-journal.log", 5),
                                    log_file("/logs/vmware-um-journal.log.1", 3),
                                    log_file("/logs/login.log", 9)};
    EXPECT_EQ(newest_log(logs, "VMware UM Journal"), "/logs/vmware-um-journal.log");
    EXPECT_EQ(newest_log(logs, "collector"), "/logs/login.log");
    EXPECT_EQ(newest_log({}, "collector"), "");
    EXPECT_EQ(newest_log({log_file("/var/usage.db-journal", 9), log_file("/var/journal.log", 5)}, "journal"),
              "/var/journal.log");
    EXPECT_EQ(newest_log({log_file("/var/usage.db-journal", 9)}, "journal"), "");
    const auto findings =
        judge_status({"login: Running with errors\njournal: Offline\n", 0, false}, "/the.log", logs, {});
    ASSERT_EQ(findings.size(), 2U);
    EXPECT_NE(findings[0].hint.find("/logs/login.log"), std::string::npos) << findings[0].hint;
    EXPECT_NE(findings[1].hint.find("/the.log"), std::string::npos) << findings[1].hint;
}

TEST(Status, FailsForAReportThatNamesNoState) {
    EXPECT_EQ(verdict_on({" bash: status.sh: No such file or directory\n", 127, false}),
              "verify.status: status.sh names no state (exit status 127): bash: status.sh: No such file or "
              "directory\n");
    EXPECT_LT(verdict_on({std::string(5000, 'x'), 0, false}).size(), 300U);
}

TEST(Status, FailsForAReportThatDoesNotEnd) {
    EXPECT_EQ(verdict_on({"journal: Running\n", 137, true}),
              "verify.status: status.sh did not end in time\n");
}

TEST(Status, IsSummedUpServiceByService) {
    EXPECT_EQ(summary_of({"journal: Running\nlogin: Running with errors\nOffline\n", 0, false}),
              "status.sh: journal Running, login Running with errors, the product Offline");
    EXPECT_EQ(summary_of({"", 0, false}), "status.sh: no state");
}

TEST(Status, IsTheReportNotTheExitStatus) {
    EXPECT_EQ(verdict_on({"journal: Running\n", 3, false}), "");
}
