// A failed upgrade is rolled back: when, by whom, through which boots, and when a person is still needed.

#include "base/file.hpp"
#include "unit/rollback_story.hpp"

#include <gmock/gmock.h>

using namespace um;
using namespace um::test;
using testing::HasSubstr;

namespace {

const CommandResult differs{1, "S.5....T.    /usr/bin/one\n", false};

} // namespace

TEST_F(Rollback, TakesAFailedChangeBackWithoutAPerson) {
    fail_the_change();
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().rollback, RollbackStep::due);
    EXPECT_TRUE(state().open());
    EXPECT_THAT(events(), HasSubstr("stage-failed:apply:script.failed rollback-started:script.failed "
                                    "reboot-requested:apply"));
    EXPECT_EQ(world.count("reboot"), 1);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_EQ(state().reason, Reason::script_failed);
    EXPECT_THAT(state().message,
                HasSubstr("everything that is kept is as before the upgrade, because upgrade-um.sh ended"));
    EXPECT_EQ(world.installed, "4.6.0.1");
    EXPECT_TRUE(world.kept.empty());
    EXPECT_THAT(events(),
                HasSubstr("stage-started:verify stage-finished:verify rollback-finished:rolled-back "
                          "upgrade-finished:rolled-back:script.failed"));
    EXPECT_EQ(closed(), 1U);
}

TEST_F(Rollback, DoesNotTryTheSameMediaAgainByItself) {
    fail_the_change();
    run();
    boot();
    verify();
    events();
    world.calls.clear();
    const auto id = state().id;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(events(), "upgrade-finished:nothing-to-do");
    EXPECT_EQ(state().id, id);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_FALSE(world.called("digest"));
    // Other media count even under the same name, and so does an operator who names the media.
    world.sidecars[stem + ".mf"] += "# another one\n";
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_TRUE(world.called("digest"));
    boot();
    verify();
    only_media = iso_path;
    EXPECT_EQ(run(), ExitCode::apply_failed);
}

TEST_F(Rollback, RollsBackWhatFailsItsVerification) {
    upgrade();
    world.status_report = "journal: Offline\n";
    EXPECT_EQ(verify(), ExitCode::verification_failed);
    EXPECT_EQ(state().rollback, RollbackStep::due);
    EXPECT_EQ(state().reason, Reason::verify_status);
    world.status_report = "journal: Running\n";
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_EQ(world.installed, "4.6.0.1");
}

TEST_F(Rollback, RollsBackAScriptThatWasCutOffAndMayNotRunAgain) {
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().rollback, RollbackStep::due);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_EQ(state().reason, Reason::interrupted);
}

TEST_F(Rollback, IsNotBegunWhereNothingWasChanged) {
    world.failures.emplace("expect_unchanged", Failure(Reason::media_changed, "changed"));
    run();
    EXPECT_FALSE(state().rolling_back());
    EXPECT_FALSE(std::filesystem::exists(flag()));
    EXPECT_TRUE(world.kept.empty());
}

TEST_F(Rollback, NeedsAPersonWhereTheOldSystemIsNotProved) {
    fail_the_change();
    run();
    world.differences = {"/etc/one is missing", "b", "c", "d"};
    boot();
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::rollback_failed);
    EXPECT_THAT(state().message, HasSubstr("/etc/one is missing; b; c; and 1 more"));
    EXPECT_FALSE(world.kept.empty());
    EXPECT_THAT(events(), HasSubstr("rollback-finished:needs-manual:rollback.failed"));
}

TEST_F(Rollback, StaysAPersonsWhereTheReturnOfACutOffScriptIsNotProved) {
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    verify();
    world.differences = {"/etc/one is missing"};
    boot();
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    const auto reboots = world.count("reboot");
    EXPECT_EQ(run(), ExitCode::needs_manual);
    EXPECT_EQ(world.count("reboot"), reboots);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_THAT(state().message, HasSubstr("/etc/one is missing"));
}

TEST_F(Rollback, IsTriedAgainByAPersonWhereItWasNotProved) {
    fail_the_change();
    run();
    world.differences = {"/etc/one is missing"};
    boot();
    verify();
    world.differences.clear();
    const auto before = world.count("roll_back");
    EXPECT_EQ(rollback("mended"), ExitCode::done);
    EXPECT_EQ(state().rollback, RollbackStep::due);
    boot();
    EXPECT_EQ(world.count("roll_back"), before + 1);
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, IsProvedByWhatRpmSaysWhenTheServicesAreUp) {
    fail_the_change();
    run();
    boot();
    world.verified = {differs};
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, NeedsAPersonWhereRpmSaysAtTheEndThatItIsNotWhatItWas) {
    fail_the_change();
    run();
    boot();
    world.verified = {{255, "", false, "cannot open the database"}, differs};
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_THAT(state().message, HasSubstr("rpm -Va is not what it was: S.5....T.    /usr/bin/one"));
}

TEST_F(Rollback, NeedsAPersonWhereTheOldSystemIsUnwell) {
    fail_the_change();
    run();
    boot();
    world.units["vmware-um-login.service"].active = "failed";
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().reason, Reason::rollback_failed);
    EXPECT_THAT(state().message, HasSubstr("vmware-um-login.service"));
}

TEST_F(Rollback, PutsBackOnceMoreWhatWasCutOff) {
    fail_the_change();
    run();
    world.reboot();
    world.fates["roll_back"] = Fate::power_cut;
    EXPECT_THROW(roll_back(), Crash);
    world.crashed = false;
    EXPECT_EQ(state().rollback, RollbackStep::due);
    EXPECT_TRUE(std::filesystem::exists(flag()));
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, GivesUpWhenItCannotPutBack) {
    fail_the_change();
    run();
    world.failures.emplace("roll_back",
                           Failure(Reason::rollback_failed, "what was kept is not whole", "mend"));
    world.reboot();
    EXPECT_EQ(roll_back(), ExitCode::needs_manual);
    EXPECT_FALSE(std::filesystem::exists(flag()));
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().reason, Reason::rollback_failed);
    EXPECT_THAT(state().message, HasSubstr("not whole"));
}

TEST_F(Rollback, DoesNotBootForEver) {
    fail_the_change();
    run();
    unsigned boots = 0;
    for (; state().open() && boots < 50; ++boots) {
        world.reboot(); // the unit of the rollback does not run
        verify();
    }
    EXPECT_LT(boots, 20U);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::rollback_failed);
}

TEST_F(Rollback, IsOfferedWhereThePolicySaysSo) {
    config.rollback.mode = RollbackMode::offer;
    fail_the_change();
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_THAT(state().hint, HasSubstr("um-upgrade rollback --why TEXT"));
    EXPECT_EQ(rollback("it failed"), ExitCode::done);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_EQ(state().reason, Reason::script_failed);
}

TEST_F(Rollback, IsAPersonsOnceTheUpgradeHasSucceeded) {
    upgrade();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_FALSE(state().kept_until.empty());
    const auto id = state().id;
    events();
    EXPECT_EQ(rollback("the reports are wrong"), ExitCode::done);
    EXPECT_THAT(events(), HasSubstr("warning:verify:rollback.data rollback-started reboot-requested"));
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().id, id);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
    EXPECT_THAT(state().message, HasSubstr("alice asked for it: the reports are wrong"));
    EXPECT_EQ(closed(), 1U);
    events();
    EXPECT_EQ(run(), ExitCode::done); // an enabled unit must not upgrade again at once
    EXPECT_EQ(events(), "upgrade-finished:nothing-to-do");
    try {
        rollback("again");
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::rollback_unavailable);
    }
}

TEST_F(Rollback, HasNothingToRollBackBeforeTheChange) {
    world.fates["mount"] = Fate::crash;
    run_and_crash();
    try {
        rollback("too early");
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::rollback_unavailable);
        EXPECT_THAT(failure.what(), HasSubstr("interrupted in mount: nothing was changed yet"));
        EXPECT_THAT(failure.hint(), HasSubstr("systemctl start um-upgrade"));
    }
}

TEST_F(Rollback, IsNotAnnouncedAgainToWhoHasCancelledTheBoot) {
    config.reboot.policy = RebootPolicy::notice;
    fail_the_change();
    run();
    ASSERT_EQ(world.count("schedule_reboot"), 1);
    verify(); // the hourly start; no reboot is scheduled any more
    EXPECT_EQ(world.count("schedule_reboot"), 1);
    run(); // an operator resumes
    EXPECT_EQ(world.count("schedule_reboot"), 2);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, IsAskedForOnceMoreWhereNobodyWasAsked) {
    config.reboot.policy = RebootPolicy::notice;
    fail_the_change();
    world.fates["schedule_reboot"] = Fate::crash;
    run_and_crash();
    verify();
    EXPECT_EQ(world.count("schedule_reboot"), 2);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, BootsByItselfWhereTheChangeTookLogindAlong) {
    config.reboot.policy = RebootPolicy::notice;
    fail_the_change();
    world.fates["schedule_reboot"] = Fate::system_failure;
    run();
    EXPECT_EQ(world.count("reboot"), 1);
    boot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::rolled_back);
}

TEST_F(Rollback, IsAskedForThoughTheChangesOwnBootWasAnnounced) {
    config.reboot.policy = RebootPolicy::notice;
    upgrade();
    world.units["vmware-um-login.service"].active = "failed";
    world.fates["shutdown_due"] = Fate::crash; // it is due in the record, but not announced
    EXPECT_THROW(verify(), Crash);
    world.crashed = false;
    verify();
    EXPECT_EQ(world.count("schedule_reboot"), 2);
}

TEST_F(Rollback, ThatCouldNotBootAfterwardsAsksAgain) {
    config.reboot.policy = RebootPolicy::notice;
    fail_the_change();
    run();
    world.reboot();
    world.fates["reboot"] = Fate::system_failure;
    EXPECT_EQ(roll_back(), ExitCode::done);
    EXPECT_EQ(state().rollback, RollbackStep::taken);
    verify();
    EXPECT_EQ(world.count("schedule_reboot"), 2);
}

TEST_F(Rollback, IsAbandonedByAPerson) {
    config.reboot.policy = RebootPolicy::manual;
    fail_the_change();
    run();
    EXPECT_FALSE(world.called("reboot"));
    abandon("it is better as it is");
    EXPECT_EQ(field(journal.entries.back(), "MESSAGE"),
              "alice abandoned upgrade id-1; the rollback in the next boot is canceled: "
              "it is better as it is");
    EXPECT_FALSE(std::filesystem::exists(flag()));
    EXPECT_FALSE(state().rolling_back());
    EXPECT_FALSE(world.kept.empty());
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
}

TEST_F(Rollback, AsksNoUnitOfAnEarlierBoot) {
    fail_the_change();
    world.fates["make_room"] = Fate::crash; // the record has only the failed change
    run_and_crash();
    world.reboot();
    world.hooks["status um-upgrade-apply.service"] = [] {
        throw SystemFailure("connect to D-Bus", ECONNREFUSED);
    };
    verify();
    EXPECT_EQ(state().rollback, RollbackStep::due);
    abandon("by hand");
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
}

TEST_F(Rollback, NeedsItsUnit) {
    world.work = [this](const Terminal::Session&) {
        world.units[rollback_unit].masked = true;
        return 7;
    };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_THAT(events(), HasSubstr("warning:apply:rollback.failed"));
}

TEST_F(Rollback, EnablesItsUnitWhereTheChangeHasDisabledIt) {
    fail_the_change();
    world.units[rollback_unit].enablement = "disabled";
    run();
    EXPECT_TRUE(world.called(std::string("enable ") + rollback_unit));
}

TEST_F(Rollback, IsBusyWhileAnUpgradeIsAtWork) {
    world.fates["wait"] = Fate::crash; // the apply unit lives on
    run_and_crash();
    try {
        rollback("now");
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::busy);
    }
}

TEST_F(Rollback, AsksForTheBootAgainWhenItWasKilledBeforeThat) {
    fail_the_change();
    world.fates["reboot"] = Fate::crash;
    run_and_crash();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("reboot"), 2);
}
