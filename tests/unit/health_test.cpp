#include "upgrade/health.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

/// "service=state" of each line that counts.
std::string read(const std::string& report) {
    static const char* states[] = {"running", "errors", "offline"};
    std::string text;
    for (const auto& line : parse_status_report(report))
        text += (text.empty() ? "" : " ") + line.service + "=" + states[static_cast<int>(line.state)];
    return text;
}

Health good_health() {
    Health health;
    health.version = "4.7.0.0";
    health.product_in_place = true;
    health.units = {{"vmware-um-login.service", "active"}, {"vmware-um-journal.service", "active"}};
    health.status_output = "journal: Running\nlogin: Running\n";
    return health;
}

std::string verdict_on(const Health& health) {
    std::string text;
    for (const auto& finding : judge_health(health, "4.7.0.0", "/the.log"))
        text += std::string(finding.severity == Finding::Severity::warning ? "warning " : "") +
                std::string(word(finding.reason)) + ": " + finding.message + "\n";
    return text;
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
              ""); // a bracket behind the state is none of the known shapes
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

TEST(Health, IsFullWithNothingToSay) {
    EXPECT_EQ(verdict_on(good_health()), "");
}

TEST(Health, FailsForAnotherVersion) {
    auto health = good_health();
    health.version = "4.6.0.1";
    EXPECT_EQ(verdict_on(health), "verify.version: version 4.7.0.0 was expected, 4.6.0.1 is installed\n");
    health.version.reset();
    EXPECT_EQ(verdict_on(health), "verify.version: version 4.7.0.0 was expected, none is installed\n");
}

TEST(Health, FailsWithoutTheProductsDirectory) {
    auto health = good_health();
    health.product_in_place = false;
    EXPECT_EQ(verdict_on(health), "verify.version: /opt/vmware/cloudusagemetering is not in place\n");
}

TEST(Health, FailsForEveryUnitThatIsNotActive) {
    auto health = good_health();
    health.units = {{"a.service", "failed"}, {"b.service", "activating"}, {"c.service", "active"}};
    EXPECT_EQ(verdict_on(health), "verify.unit: a.service is failed\nverify.unit: b.service is activating\n");
}

TEST(Health, FailsForAnOfflineServiceAndWarnsOfErrors) {
    auto health = good_health();
    health.status_output = "journal: Offline\nRunning with errors\nlogin: Running\n";
    EXPECT_EQ(verdict_on(health), "verify.status: status.sh: journal is Offline\n"
                                  "warning verify.status: status.sh: the product is Running with errors\n");
}

TEST(Health, FailsForAReportThatNamesNoState) {
    auto health = good_health();
    health.status_output = " bash: status.sh: No such file or directory\n";
    health.status_exit = 127;
    EXPECT_EQ(verdict_on(health), "verify.status: status.sh names no state (exit status 127): bash: "
                                  "status.sh: No such file or directory\n");
    health.status_output = std::string(5000, 'x');
    EXPECT_LT(verdict_on(health).size(), 300U);
}

TEST(Health, FailsForAReportThatDoesNotEnd) {
    auto health = good_health();
    health.status_timed_out = true;
    EXPECT_EQ(verdict_on(health), "verify.status: status.sh did not end in time\n");
}

TEST(Health, BelievesTheReportNotTheExitStatus) {
    auto health = good_health();
    health.status_exit = 3;
    EXPECT_EQ(verdict_on(health), "");
}

TEST(Health, MaySettleWhereUnitsOrServicesAreStillComingUp) {
    const Finding unit{Finding::Severity::refusal, Reason::verify_unit, "", ""};
    const Finding status{Finding::Severity::refusal, Reason::verify_status, "", ""};
    const Finding version{Finding::Severity::refusal, Reason::verify_version, "", ""};
    const Finding warning{Finding::Severity::warning, Reason::verify_status, "", ""};
    EXPECT_FALSE(may_settle({}));
    EXPECT_TRUE(may_settle({unit}));
    EXPECT_TRUE(may_settle({status, unit, warning}));
    EXPECT_FALSE(may_settle({version}));
    EXPECT_FALSE(may_settle({unit, version}));
}
