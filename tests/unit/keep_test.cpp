// The old system is kept before the change, and the kept files are discarded in the end.

#include "base/termination.hpp"
#include "unit/rollback_story.hpp"

#include <gmock/gmock.h>

using namespace um;
using namespace um::test;
using testing::HasSubstr;

TEST_F(Rollback, IsNotKeptWhereItIsOff) {
    config.rollback.mode = RollbackMode::off;
    fail_the_change();
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_FALSE(world.called("keep"));
    EXPECT_THROW(rollback("it failed"), Failure);
}

TEST_F(Rollback, EndsWithItsTime) {
    upgrade();
    verify();
    world.clock += config.rollback.keep + std::chrono::seconds(1);
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_TRUE(world.kept.empty());
    EXPECT_FALSE(state().has_kept_files);
    try {
        rollback("too late");
        FAIL();
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::rollback_expired);
    }
}

TEST_F(Rollback, EndsWithItsTimeWhoeverNoticesFirst) {
    upgrade();
    verify();
    world.clock += config.rollback.keep + std::chrono::seconds(1);
    EXPECT_THROW(rollback("too late"), Failure);
    EXPECT_TRUE(world.kept.empty());
    EXPECT_FALSE(state().has_kept_files);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Rollback, StaysAsLongAsAPersonIsWaitedFor) {
    config.rollback.mode = RollbackMode::offer;
    fail_the_change();
    run();
    world.clock += config.rollback.keep * 10;
    verify();
    EXPECT_FALSE(world.kept.empty());
    abandon("looked into");
    EXPECT_FALSE(state().kept_until.empty());
    world.clock += config.rollback.keep + std::chrono::seconds(1);
    verify();
    EXPECT_TRUE(world.kept.empty());
}

TEST_F(Rollback, MakesRoomForTheNextUpgrade) {
    upgrade();
    verify();
    install_again();
    confirm_snapshot("4.6.0.1");
    EXPECT_EQ(run(), ExitCode::done);
    ASSERT_EQ(world.kept.size(), 1U);
    EXPECT_EQ(world.kept.begin()->first, state().id);
}

TEST_F(Rollback, NeedsItsUnitBeforeAnythingIsChanged) {
    world.units[rollback_unit].masked = true;
    EXPECT_EQ(run(), ExitCode::preflight_refused);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::rollback_unavailable);
    EXPECT_FALSE(world.called("begin"));
}

TEST_F(Rollback, StopsTheProductForTheMomentThatItsDataAreCopied) {
    config.rollback.data = {"/data"};
    run();
    const auto at = [&](const std::string& call) {
        return std::find(world.calls.begin(), world.calls.end(), call) - world.calls.begin();
    };
    for (const auto& unit : config.verify.units) {
        EXPECT_LT(at("stop " + unit), at("copy data"));
        EXPECT_LT(at("copy data"), at("start " + unit));
    }
}

TEST_F(Rollback, StopsWhomTheProductReportsBesideWhomIsNamed) {
    config.rollback.data = {"/opt/vmware/data"};
    world.status_report += "VMware-UM-Schedule: Running\nvCloud Usage Meter 4.7: Running\n";
    world.units["vmware-um-schedule.service"].active = "active";
    run();
    EXPECT_TRUE(world.called("stop vmware-um-schedule.service"));
    EXPECT_TRUE(world.called("start vmware-um-schedule.service"));
}

TEST_F(Rollback, StartsTheProductAgainWhateverHappensMeanwhile) {
    config.rollback.data = {"/data"};
    world.failures.emplace("copy data", Failure(Reason::packages_locked, "locked"));
    run();
    for (const auto& unit : config.verify.units)
        EXPECT_EQ(world.units[unit].active, "active");
    EXPECT_EQ(state().outcome, Outcome::failed);
}

TEST_F(Rollback, StopsWhenItIsAskedToWhileTheProductStarts) {
    config.rollback.data = {"/data"};
    const auto unit = config.verify.units.front();
    world.hooks["start " + unit] = [&] {
        world.hooks.erase("start " + unit);
        throw Terminated{SIGTERM};
    };
    EXPECT_THROW(run(), Terminated);
    EXPECT_EQ(world.units[unit].active, "active");
    EXPECT_FALSE(world.called("begin"));
    EXPECT_EQ(state().outcome, Outcome::failed);
}

TEST_F(Rollback, StartsTheProductAgainThatAKilledAgentHadStopped) {
    config.rollback.data = {"/data"};
    world.fates["copy data"] = Fate::crash;
    EXPECT_THROW(run(), Crash);
    world.crashed = false;
    // A kill runs no destructors, but the exception of the fake did. This undoes what they cleaned up.
    auto killed = state();
    killed.stopped = config.verify.units.front();
    store().save(killed);
    world.units[config.verify.units.front()].active = "inactive";
    run();
    EXPECT_EQ(world.units[config.verify.units.front()].active, "active");
    EXPECT_EQ(state().stopped, "");
}

TEST_F(Rollback, CannotBeKeptSoNothingIsChanged) {
    world.fates["keep"] = Fate::system_failure;
    EXPECT_EQ(run(), ExitCode::preflight_refused);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::rollback_unavailable);
    EXPECT_FALSE(world.called("begin"));
}

TEST_F(Rollback, NeedsItsSpaceBesideTheUpgrades) {
    world.kept_size = world.free_space;
    EXPECT_EQ(run(), ExitCode::preflight_refused);
    EXPECT_EQ(state().reason, Reason::rollback_space);
    EXPECT_THAT(state().hint, HasSubstr("[rollback] mode = off"));
}

TEST_F(Rollback, WarnsOfWhatIsNotKept) {
    world.unkept = {"/srv is on a remote file system (nfs) and is not kept"};
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_THAT(events(), HasSubstr("warning:preflight:rollback.unavailable"));
}

TEST_F(Rollback, WarnsOfWhatWasWrittenToWhileItWasCopied) {
    world.torn = {"/opt/vmware/store"};
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_THAT(events(), HasSubstr("warning:prepare:rollback.unavailable"));
}

TEST_F(Rollback, IsGivenBackWhenNothingWasChanged) {
    config.apply.interrupted = OnInterruption::stop;
    world.fates["begin"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(world.kept.size(), 1U);
    run();
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_TRUE(world.kept.empty());
}
