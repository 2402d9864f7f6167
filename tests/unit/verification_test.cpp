// The stage that verifies after the boot: how long it looks, and how it judges what it sees.

#include "checks/status_report.hpp"
#include "checks/unit_health.hpp"
#include "unit/story.hpp"

#include <gmock/gmock.h>

using namespace um;
using namespace um::test;
using std::chrono::seconds;
using testing::HasSubstr;

namespace {

const std::string login = "vmware-um-login.service";

struct Verification : Story {
    /// Changes, boots and verifies. Returns the outcome, and the reason if there is one.
    std::string verdict() {
        upgrade();
        if (after_boot)
            after_boot();
        verify();
        const auto record = state();
        return std::string(word(record.outcome.value())) +
               (record.reason ? " " + std::string(word(*record.reason)) : "");
    }
    std::function<void()> after_boot;
};

} // namespace

TEST_F(Verification, WaitsUntilAUnitHasBeenUpForAWhile) {
    after_boot = [&] { world.histories[login].active_since = world.uptime; };
    const auto before = world.uptime;
    EXPECT_EQ(verdict(), "succeeded");
    EXPECT_GE(world.uptime - before, steady_time);
    EXPECT_LT(world.uptime - before, 2 * steady_time);
}

TEST_F(Verification, FailsForAUnitThatCrashesAgainAndAgain) {
    after_boot = [&] {
        world.hooks["sleep"] = [&] { // it is restarted every twenty seconds
            auto& history = world.histories[login];
            if (world.uptime - history.active_since > seconds(20)) {
                history.active_since = world.uptime;
                ++history.restarts;
            }
        };
        world.histories[login].active_since = world.uptime;
    };
    EXPECT_EQ(verdict(), "needs-manual verify.unit");
    EXPECT_THAT(state().message, HasSubstr("does not stay up: restarted"));
}

TEST_F(Verification, WarnsOfAUnitThatWasRestartedAndStaysUp) {
    after_boot = [&] { world.histories[login].restarts = 1; };
    EXPECT_EQ(verdict(), "succeeded-with-warnings");
}

TEST_F(Verification, GivesAUnitThatStartsForEverADeadline) {
    after_boot = [&] { world.units[login].active = "activating"; };
    const auto before = world.uptime;
    EXPECT_EQ(verdict(), "needs-manual verify.deadline");
    EXPECT_GE(world.uptime - before, config.verify.deadline);
}

TEST_F(Verification, DoesNotBlameTheUpgradeForWhatWasUnwellBefore) {
    world.units[login].active = "failed";
    EXPECT_EQ(verdict(), "succeeded-with-warnings");
    EXPECT_THAT(events(), HasSubstr("warning:verify:verify.unit"));
}

TEST_F(Verification, LooksAtTheHostNameAgain) {
    after_boot = [&] { world.host_name = "photon-machine"; };
    EXPECT_EQ(verdict(), "needs-manual hostname.mismatch");
}

TEST_F(Verification, WaitsForTheWebServerButNotForEver) {
    int asked = 0;
    after_boot = [&] {
        const auto certificate = std::exchange(world.certificate, std::nullopt);
        world.hooks["certificate_names tls://localhost:443"] = [&, certificate] {
            if (++asked == 3)
                world.certificate = certificate;
        };
    };
    EXPECT_EQ(verdict(), "succeeded");
    EXPECT_EQ(asked, 3);
}

TEST_F(Verification, FindsTheErrorOfAWrongHostNameInTheJournal) {
    after_boot = [&] { journal.others = {"vmware-um-login.service: Failed to process journal=>read"}; };
    EXPECT_EQ(verdict(), "needs-manual verify.journal-error");
    EXPECT_THAT(state().hint, HasSubstr("certificate"));
}

TEST_F(Verification, FindsThatErrorInTheProductsLogsWhereItIsNew) {
    const auto log = std::string(product_directory) + "/var/logs/login.log";
    const std::string error = "ERROR Failed to process journal=>read\n";
    world.logs[log] = error;
    EXPECT_EQ(verdict(), "succeeded"); // it was there before the change
    install_again();
    after_boot = [&] { world.logs[log] += "INFO started\n" + error; };
    EXPECT_EQ(verdict(), "needs-manual verify.journal-error");
    EXPECT_THAT(state().message, HasSubstr(log));
}

TEST_F(Verification, IsNotFooledByLogsThatMoveOrAreCopied) {
    const auto directory = std::string(product_directory) + "/var/logs/";
    const std::string error = "ERROR Failed to process journal=>read\n";
    world.logs[directory + "login.log"] = error;
    world.inodes[directory + "login.log"] = "8:1";
    after_boot = [&] {
        world.logs[directory + "login.log.1"] = error; // rotated; a new file is begun
        world.inodes[directory + "login.log.1"] = "8:1";
        world.logs[directory + "login.log"] = "INFO started\n";
        world.inodes[directory + "login.log"] = "8:2";
        world.logs[directory + "migrated/login.log"] = error; // a copy
    };
    EXPECT_EQ(verdict(), "succeeded");
}

TEST_F(Verification, LosesNoVerdictOverALogThatCannotBeRead) {
    after_boot = [&] { journal.broken = true; };
    EXPECT_EQ(verdict(), "succeeded-with-warnings");
}

TEST_F(Verification, WaitsForAUnitThatACheckRestarts) {
    after_boot = [&] {
        world.checks["/etc/um-upgrade/checks.d/required"] = {{"/r/10-restart", ""}};
        world.programs["/r/10-restart"] = {0, "", false};
        world.hooks["run /r/10-restart"] = [&] { world.histories[login].active_since = world.uptime; };
    };
    EXPECT_EQ(verdict(), "succeeded");
}

TEST_F(Verification, AcceptsThatErrorWhereTheMismatchWasAccepted) {
    config.hostname.mismatch = Mismatch::warn;
    after_boot = [&] { journal.others = {"a: Failed to process journal=>read"}; };
    EXPECT_EQ(verdict(), "succeeded-with-warnings");
}

TEST_F(Verification, RunsTheOperatorsChecks) {
    after_boot = [&] {
        world.checks["/etc/um-upgrade/checks.d/required"] = {{"/r/10-api", "it cannot be executed"}};
    };
    EXPECT_EQ(verdict(), "needs-manual verify.check");
}

TEST_F(Verification, BringsSshdBackAndWarnsWhereItCannot) {
    after_boot = [&] { world.units["sshd.service"] = {{true, false, "inactive"}, "disabled"}; };
    EXPECT_EQ(verdict(), "succeeded");
    EXPECT_EQ(world.units["sshd.service"].enablement, "enabled");
    EXPECT_EQ(world.units["sshd.service"].active, "active");
    install_again();
    after_boot = [&] { world.units["sshd.service"] = {{false, true, "inactive"}, "masked"}; };
    EXPECT_EQ(verdict(), "succeeded-with-warnings");
}
