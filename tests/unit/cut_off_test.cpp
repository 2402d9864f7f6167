// A change that was begun and cut off. It is made again where that is safe, and it is never skipped.

#include "base/file.hpp"
#include "unit/story.hpp"

using namespace um;
using namespace um::test;

using CutOff = Story;

TEST_F(CutOff, MakesAChangeOfPackagesAgainWhenThePowerWasCutInIt) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.installed = "4.7.0.0"; // the product was installed already
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
    world.fates["script"] = Fate::crash; // only the apply unit dies
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
        world.installed = "4.7.0.0"; // this looks as if nothing were to do
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
    world.fates["script"] = Fate::power_cut; // the script of the media, which may not run again
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
    world.fates["wait"] = Fate::crash;
    run_and_crash();
    world.hooks["status " + std::string(apply_unit)] = [this] { // it still ran when the record was read
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

TEST_F(CutOff, CountsTheAttemptsOfEachPhaseApart) {
    bring_packages();
    for (int crash = 1; crash <= 2; ++crash) {
        world.fates["digest"] = Fate::power_cut;
        run_and_crash();
    }
    world.fates["script"] = Fate::power_cut; // in the third attempt
    run_and_crash();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_EQ(state().attempts, 5U);
}

TEST_F(CutOff, EndsALoopOfRebootsInTheVerification) {
    upgrade();
    for (int crash = 1; crash <= 3; ++crash) {
        world.fates["run /bin/bash"] = Fate::power_cut;
        world.fates["run /bin/bash as usagemeter"] = Fate::power_cut;
        EXPECT_THROW(verify(), Crash) << crash;
        world.crashed = false;
    }
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::interrupted);
    EXPECT_EQ(state().message, "interrupted 3 times, last in verify");
}

TEST_F(CutOff, GoesOnOnceTheMediaAreBack) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    const auto paths = std::exchange(world.paths, {});
    for (int boot = 1; boot <= 5; ++boot) {
        EXPECT_EQ(run(), ExitCode::needs_manual) << boot;
        EXPECT_EQ(state().outcome, Outcome::needs_manual) << boot;
        EXPECT_EQ(state().reason, Reason::media_none) << boot;
        EXPECT_EQ(verify(), ExitCode::done) << boot; // it is closed, so a person must act
    }
    world.paths = paths;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_TRUE(state().open());
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_EQ(closed(), 1U);
}

TEST_F(CutOff, InstallsAfreshWhatWasNewAndCutOff) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    replace_file(store().directory() + "/fresh.list", "java17|0|17|1|x86_64\n"); // from an earlier attempt
    verify();
    ASSERT_EQ(world.count("script"), 3); // cut off, installed again, and upgraded
    EXPECT_EQ(text_of(store().directory() + "/fresh.list"), "java17|0|17|1|x86_64\n");
}

TEST_F(CutOff, AsksForNoSecondRebootInOneBoot) {
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("reboot"), 1);
    world.shutdown_due = "shutdown";
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("reboot"), 1);
    world.shutdown_due.clear(); // the first one was lost
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("reboot"), 2);
}

TEST_F(CutOff, LeavesTheRebootToWhomItWasLeft) {
    config.reboot.policy = RebootPolicy::manual;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_TRUE(state().reboot_is_left);
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_FALSE(world.called("reboot"));
}

TEST_F(CutOff, WritesTheJournalWhereTheStoryMustNotBeLost) {
    run();
    const auto& calls = world.calls;
    const auto first = [&](const std::string& call) { return std::find(calls.begin(), calls.end(), call); };
    EXPECT_LT(first("flush_journal"), first("digest")); // at the beginning of each stage
    EXPECT_LT(first("flush_journal"), first("script"));
    const auto before_reboot = std::find(calls.rbegin(), calls.rend(), "flush_journal");
    EXPECT_GT(before_reboot, std::find(calls.rbegin(), calls.rend(), "reboot"));
}

TEST_F(CutOff, GoesOnOnceMediaThatChangedInTheLastMomentAreGoodAgain) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.failures.insert({"expect_unchanged", Failure(Reason::media_changed, "it was written to")});
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().reason, Reason::media_changed);
    world.failures.clear();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_TRUE(state().open());
}

TEST_F(CutOff, GoesOnWithTheMediaThatItIsToldOf) {
    world.fates["digest"] = Fate::crash;
    run_and_crash();
    world.paths = {"/other/" + iso_name};
    for (const auto* suffix : {".mf", ".crt", ".sign"})
        world.sidecars["/other/" + iso_name.substr(0, iso_name.size() - 4) + suffix] =
            world.sidecars[stem + suffix];
    only_media = "/other/" + iso_name;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().requested_media, only_media);
}

TEST_F(CutOff, EnablesWhatGoesOnAfterABootBeforeTheChange) {
    world.units[verify_unit].enablement = "disabled";
    bool enabled = false;
    world.hooks["script"] = [&] { enabled = world.units[verify_unit].enablement == "enabled"; };
    run();
    EXPECT_TRUE(enabled);
}

TEST_F(CutOff, ChangesNothingWhereNothingWouldGoOnAfterABoot) {
    world.units[verify_unit].masked = true;
    EXPECT_EQ(run(), ExitCode::preflight_refused);
    EXPECT_EQ(state().reason, Reason::services_unhealthy);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_FALSE(world.called("script"));
}

TEST_F(CutOff, StartsAUnitAgainThatDiedBeforeItBeganTheChange) {
    world.fates["inhibit_shutdown"] = Fate::crash;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("begin"), 2);
    EXPECT_EQ(world.count("script"), 1);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(CutOff, IsRecordedInTheStageOfTheChangeThatMayNotBeMadeAgain) {
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().stage, Stage::apply);
    EXPECT_EQ(state().reason, Reason::interrupted);
}
