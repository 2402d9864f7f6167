// The agent, its unit or the machine dies in every stage, and then starts again.

#include "unit/story.hpp"

using namespace um;
using namespace um::test;

using Crashed = Story;
using Failing = Story;

namespace {

struct Case {
    std::string name;
    std::string call; ///< the agent dies there
    Stage stage;      ///< in the record then
};

const Case before_the_change[] = {
    {"BeforeAuthentication", "read .mf", Stage::authenticate}, {"InTheDigest", "digest", Stage::authenticate},
    {"BeforeTheMount", "expect_unchanged", Stage::mount},      {"InTheMount", "mount", Stage::mount},
    {"InPreflight", "space /var", Stage::preflight},           {"InPrepare", "run modprobe", Stage::prepare},
    {"BeforeTheApplyUnitStarts", "begin", Stage::apply},
};

class CrashedBeforeTheChange : public Story, public testing::WithParamInterface<Case> {};

} // namespace

TEST_P(CrashedBeforeTheChange, StartsFromTheTopAndAuthenticatesAgain) {
    world.fates[GetParam().call] = Fate::crash;
    run_and_crash();
    EXPECT_EQ(state().stage, GetParam().stage);
    EXPECT_EQ(state().change, Change::none);
    EXPECT_FALSE(world.called("script"));
    events();
    world.calls.clear();
    EXPECT_EQ(run(), ExitCode::done);
    const auto story = events();
    EXPECT_EQ(story.find("upgrade-resumed:" + std::string(word(GetParam().stage)) +
                         " stage-finished:find "
                         "stage-started:authenticate"),
              0U)
        << story;
    for (const auto* call : {"verify_signature", "digest", "mount", "script"})
        EXPECT_EQ(world.count(call), 1) << call;
    EXPECT_EQ(state().id, "id-1");
    EXPECT_EQ(state().attempts, 2U);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_FALSE(world.mounted);
}

TEST_P(CrashedBeforeTheChange, GoesOnAfterThePowerWasCut) {
    world.fates[GetParam().call] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::done); // as the unit does after the boot
    EXPECT_EQ(world.count("script"), 1);
    EXPECT_EQ(state().stage, Stage::reboot);
}

TEST_P(CrashedBeforeTheChange, NeedsAPersonAfterThreeAttempts) {
    for (int attempt = 1; attempt <= 3; ++attempt) {
        world.fates[GetParam().call] = Fate::crash;
        run_and_crash();
    }
    world.calls.clear();
    EXPECT_EQ(run(), ExitCode::needs_manual);
    EXPECT_FALSE(world.called("script"));
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::interrupted);
    EXPECT_EQ(state().attempts, 3U);
    EXPECT_EQ(closed(), 1U);
}

TEST_P(CrashedBeforeTheChange, StopsWhereThePolicySaysSo) {
    world.fates[GetParam().call] = Fate::crash;
    run_and_crash();
    config.apply.interrupted = OnInterruption::stop;
    run();
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::interrupted);
    EXPECT_FALSE(world.called("script"));
}

INSTANTIATE_TEST_SUITE_P(Stage, CrashedBeforeTheChange, testing::ValuesIn(before_the_change),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(Crashed, LeavesNoRecordWhileItLooksForMedia) {
    world.fates["open"] = Fate::crash;
    run_and_crash();
    EXPECT_FALSE(recorded());
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().attempts, 1U);
}

TEST_F(Crashed, HasRecordedWhatTheJournalTellsOf) {
    std::optional<bool> in_time; // an upgrade without a record would never end
    journal.on_entry = [&](const Fields& entry) {
        if (field(entry, "UM_EVENT") == "upgrade-started")
            in_time = recorded();
    };
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(in_time, true);
}

TEST_F(Crashed, TellsOfAnUpgradeThatWasOnlyRecorded) {
    store().save([] {
        State state;
        state.id = "id-0";
        state.attempts = 1;
        return state;
    }());
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().id, "id-0");
    EXPECT_EQ(events().find("upgrade-started stage-started:find upgrade-resumed:find "
                            "stage-finished:find"),
              0U);
}

TEST_F(Crashed, UnmountsWhatAKilledAgentLeft) {
    world.fates["space /"] = Fate::crash;
    run_and_crash();
    EXPECT_TRUE(world.mounted);
    run();
    EXPECT_FALSE(world.mounted);
}

TEST_F(Crashed, FailsWhenTheMediaAreGoneThen) {
    world.fates["digest"] = Fate::crash;
    run_and_crash();
    world.paths.clear();
    EXPECT_EQ(run(), ExitCode::media);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::media_none);
}

TEST_F(Crashed, WaitsForAChangeThatOutlivedTheAgent) {
    world.fates["wait"] = Fate::crash;
    run_and_crash();
    world.units[apply_unit].active = "activating";
    world.calls.clear();
    world.hooks["wait returns"] = [&] { world.units[apply_unit].active = "inactive"; };
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_FALSE(world.called("digest"));
    EXPECT_FALSE(world.called("mount"));
    EXPECT_EQ(world.count("script"), 1);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Crashed, TakesAFinishedChangeFromItsRecord) {
    world.fates["wait returns"] = Fate::crash;
    run_and_crash();
    EXPECT_EQ(state().change, Change::done);
    EXPECT_EQ(state().stage, Stage::apply);
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("script"), 1);
    EXPECT_EQ(world.count("wait"), 1);
    EXPECT_EQ(state().stage, Stage::reboot);
    EXPECT_FALSE(world.mounted);
}

TEST_F(Crashed, TakesAFailedChangeFromItsRecord) {
    world.work = [](const Terminal::Session&) { return 3; };
    world.fates["wait returns"] = Fate::crash;
    run_and_crash();
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().reason, Reason::script_failed);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(world.count("script"), 1);
}

TEST_F(Crashed, NeedsAPersonWhenTheChangeItselfDied) {
    world.fates["script"] = Fate::crash; // in the apply unit, so the agent lives and sees it
    EXPECT_EQ(run(), ExitCode::needs_manual);
    EXPECT_EQ(state().change, Change::begun);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::interrupted);
    EXPECT_FALSE(world.called("reboot"));
}

TEST_F(Crashed, NeedsAPersonWhenThePowerWasCutInTheChange) {
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(state().change, Change::begun);
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::interrupted);
    EXPECT_EQ(world.count("script"), 1); // the media do not allow their script to run again
}

TEST_F(Crashed, AsksForTheRebootAgain) {
    world.fates["reboot"] = Fate::crash;
    run_and_crash();
    EXPECT_EQ(verify(), ExitCode::done); // in the same boot, by the unit that resumes
    EXPECT_EQ(state().stage, Stage::reboot);
    EXPECT_EQ(world.count("reboot"), 2);
    world.shutdown_due = "shutdown";
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("reboot"), 2);
    EXPECT_EQ(world.count("script"), 1);
}

TEST_F(Crashed, TakesANewBootForTheRebootThatItAskedFor) {
    world.fates["sync"] = Fate::power_cut; // in the apply unit, before it records the change
    run_and_crash();
    EXPECT_EQ(state().change, Change::begun);
    EXPECT_EQ(verify(), ExitCode::needs_manual);
    abandon("restored");

    world.installed = "4.6.0.1";
    world.fates["reboot"] = Fate::power_cut;
    run_and_crash();
    events();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(events(),
              "stage-finished:reboot stage-started:verify stage-finished:verify upgrade-finished:succeeded");
}

TEST_F(Crashed, TakesABootForTheRebootWhenItWasGoneAtTheEndOfTheChange) {
    world.fates["wait returns"] = Fate::power_cut;
    run_and_crash();
    EXPECT_EQ(state().change, Change::done);
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_FALSE(world.called("reboot"));
}

TEST_F(Crashed, GoesOnWithTheMediaThatItWasGiven) {
    only_media = iso_path;
    world.paths = {"/media/another.iso", iso_path};
    world.fates["digest"] = Fate::power_cut;
    run_and_crash();
    only_media.clear(); // the unit of the boot names no media
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_FALSE(world.called("matches /dev/cdrom"));
}

TEST_F(Crashed, LooksAgainWhenItCouldNotLookAtTheNewVersion) {
    upgrade();
    world.fates["run /bin/bash as usagemeter"] = Fate::system_failure; // only once
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Crashed, VerifiesAgain) {
    upgrade();
    for (const auto fate : {Fate::crash, Fate::power_cut}) {
        world.fates["run /bin/bash as usagemeter"] = fate;
        EXPECT_THROW(verify(), Crash);
        world.crashed = false;
        EXPECT_EQ(state().stage, Stage::verify);
    }
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_EQ(world.count("script"), 1);
}

TEST_F(Crashed, RefusesADamagedRecord) {
    world.fates["digest"] = Fate::crash;
    run_and_crash();
    const auto text = text_of(store().path());
    scratch.file("state/state.ini", text.substr(0, text.size() / 2));
    world.calls.clear();
    for (const auto& start :
         std::initializer_list<std::function<void()>>{[&] { run(); }, [&] { verify(); }}) {
        try {
            start();
            ADD_FAILURE() << "went on";
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.reason(), Reason::state_damaged);
        }
    }
    EXPECT_TRUE(world.calls.empty());
    EXPECT_EQ(text_of(store().path()), text.substr(0, text.size() / 2));
}

TEST_F(Failing, ClosesAnUpgradeThatChangedNothing) {
    world.fates["mount"] = Fate::system_failure;
    EXPECT_EQ(run(), ExitCode::internal);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().message, "mount: Input/output error");
    EXPECT_EQ(closed(), 1U);
    const auto story = events();
    EXPECT_NE(story.find("stage-failed:mount:system.failed upgrade-finished:failed:system.failed"),
              std::string::npos)
        << story;
}

TEST_F(Failing, SaysItEvenWhenItLooksForMedia) {
    world.fates["open"] = Fate::system_failure;
    EXPECT_EQ(run(), ExitCode::internal);
    EXPECT_EQ(events(), "upgrade-started stage-started:find stage-failed:find:system.failed "
                        "upgrade-finished:failed:system.failed");
}

TEST_F(Failing, LeavesTheRecordOpenOnceAChangeMayBeAtWork) {
    for (const auto* call : {"wait", "wait returns", "reboot"}) {
        world.fates[call] = Fate::system_failure;
        EXPECT_EQ(run(), ExitCode::internal) << call;
        EXPECT_TRUE(state().open()) << call;
        EXPECT_EQ(closed(), 0U) << call;
    }
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("script"), 1);
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Story, ThatChangedNothingIsNotToBeReverted) {
    for (int attempt = 1; attempt <= 3; ++attempt) {
        world.fates["digest"] = Fate::crash;
        run_and_crash();
    }
    EXPECT_EQ(run(), ExitCode::needs_manual);
    EXPECT_EQ(state().hint.find("snapshot"), std::string::npos) << state().hint;
}
