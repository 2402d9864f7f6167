// A change that was begun and cut off: made again where that is safe, and never passed over.

#include "unit/story.hpp"

using namespace um;
using namespace um::test;

using CutOff = Story;

TEST_F(CutOff, MakesAChangeOfPackagesAgainWhenThePowerWasCutInIt) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.installed = "4.7.0.0"; // it came as far as the product itself
    world.calls.clear();
    events();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(events().find("upgrade-resumed:apply stage-finished:find stage-started:authenticate"), 0U);
    for (const auto* call : {"verify_signature", "digest", "mount", "script", "reboot"})
        EXPECT_EQ(world.count(call), 1) << call;
    EXPECT_EQ(state().change, Change::done);
    EXPECT_EQ(state().attempts, 2U);
    EXPECT_EQ(state().from_version, "4.6.0.1");
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(CutOff, MakesAChangeOfPackagesAgainWhileTheAgentLives) {
    bring_packages();
    world.fates["script"] = Fate::crash; // in the apply unit
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("script"), 2);
    EXPECT_EQ(world.count("mount"), 1);
    EXPECT_EQ(state().attempts, 2U);
    EXPECT_NE(events().find("warning:apply:interrupted"), std::string::npos);
}

TEST_F(CutOff, NeedsAPersonWhenTheChangeWasCutOffThreeTimes) {
    bring_packages();
    for (int attempt = 1; attempt <= 3; ++attempt) {
        world.fates["script"] = Fate::power_cut;
        run_and_crash();
    }
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(world.count("script"), 3);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::interrupted);
}

TEST_F(CutOff, NeedsAPersonWhenAChangeThatWasCutOffMayNotBeMadeAgain) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    config.apply.interrupted = OnInterruption::stop;
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(world.count("script"), 1);
}

TEST_F(CutOff, KeepsAChangeThatWasCutOffOpenWhenTheMachineFailsBeforeItIsMadeAgain) {
    for (const auto* call : {"mount", "digest", "run modprobe"}) {
        bring_packages();
        world.fates["script"] = Fate::power_cut;
        run_and_crash();
        world.installed = "4.7.0.0"; // which would look like nothing to do
        world.fates[call] = Fate::system_failure;
        EXPECT_EQ(verify(), ExitCode::internal) << call;
        EXPECT_TRUE(state().open()) << call;
        EXPECT_EQ(run(), ExitCode::done) << call;
        EXPECT_EQ(state().change, Change::done) << call;
        EXPECT_EQ(state().attempts, 3U) << call;
        world.reboot();
        EXPECT_EQ(verify(), ExitCode::done) << call;
        world.installed = "4.6.0.1";
        confirm_snapshot("4.6.0.1");
    }
}

TEST_F(CutOff, CountsAnAttemptBeforeItTouchesAnything) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.fates["open"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(state().attempts, 2U);
    world.fates["open"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
}

TEST_F(CutOff, MakesAChangeAgainOnlyAsItWasBegun) {
    world.paths.insert(repository_metadata);
    world.fates["script"] = Fate::power_cut; // the media's script, which may not run again
    run_and_crash();
    config.apply.method = Method::packages;
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(world.count("script"), 1);
}

TEST_F(CutOff, RunsNoScriptAgainWhoeverStartsItsUnit) {
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    auto state = this->state();
    state.boot_id = world.boot;
    state.mount_device = 1792;
    store().save(state);
    world.mounted = 1792;
    world.in_unit = true;
    apply();
    EXPECT_EQ(world.count("script"), 1);
    EXPECT_EQ(this->state().change, Change::begun);
    EXPECT_EQ(this->state().reason, Reason::interrupted);
}

TEST_F(CutOff, ReadsTheRecordOfAUnitThatEndedJustNow) {
    world.fates["run_to_end"] = Fate::crash;
    run_and_crash();
    world.hooks["status " + std::string(apply_unit)] = [this] { // it was at work when the record was read
        auto done = state();
        done.change = Change::done;
        store().save(done);
    };
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_FALSE(world.called("script"));
    EXPECT_TRUE(world.called("reboot"));
}

TEST_F(CutOff, NeedsAPersonWhenAChangeThatWasCutOffFindsOtherMedia) {
    const std::string other = "/media/Usage_Meter_Agent-4.8.0.0-3_Upgrade";
    for (const bool same_name : {true, false}) {
        bring_packages();
        world.fates["script"] = Fate::power_cut;
        run_and_crash();
        if (same_name) {
            auto state = this->state();
            state.media_sha256 = std::string(64, 'e');
            store().save(state);
        } else {
            world.paths.erase(iso_path);
            world.paths.insert(other + ".iso");
        }
        world.calls.clear();
        verify();
        EXPECT_EQ(state().outcome, Outcome::needs_manual);
        EXPECT_EQ(state().reason, Reason::media_changed);
        EXPECT_FALSE(world.called("script"));
        abandon("restored");
        world.installed = "4.6.0.1";
    }
}

TEST_F(CutOff, NeedsAPersonWhenTheMediaOfAChangeThatWasCutOffAreGone) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.paths.erase(iso_path);
    verify();
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(world.count("script"), 1);
}
