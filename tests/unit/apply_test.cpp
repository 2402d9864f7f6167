// The change itself, as the process of the apply unit sees it.

#include "unit/story.hpp"

#include <filesystem>
#include <gmock/gmock.h>

using namespace um;
using namespace um::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct Apply : Story {
    /// A script that prints, stays quiet for so long, and notes what is typed then.
    void say(const std::string& output, milliseconds quiet) {
        world.work = [this, output, quiet](const Terminal::Session& session) {
            session.on_output(output);
            typed = session.on_quiet(quiet);
            world.installed = "4.7.0.0";
            return 0;
        };
    }
    /// The record that the agent leaves for the apply unit.
    State due() {
        State state;
        state.id = "id-7";
        state.stage = Stage::apply;
        state.to_version = "4.7.0.0";
        state.boot_id = world.boot;
        state.mount_device = 1792;
        world.mounted = 1792;
        world.in_unit = true;
        return state;
    }
    std::string log() const { return text_of(config.log.file); }

    std::optional<std::string> typed;
};

} // namespace

TEST_F(Apply, RunsTheMediasScriptWithACleanEnvironment) {
    run();
    EXPECT_EQ(terminal.last_command, (std::vector<std::string>{"/bin/bash", mount_point + "/upgrade-um.sh"}));
    EXPECT_EQ(terminal.last_environment,
              (std::vector<std::string>{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash",
                                        "TERM=dumb", "LANG=C.UTF-8", "UM_UPGRADE_ID=id-1"}));
}

TEST_F(Apply, RecordsThatTheChangeBeginsBeforeItDoes) {
    auto seen = Change::none;
    world.hooks["script"] = [&] { seen = state().change; };
    run();
    EXPECT_EQ(seen, Change::begun);
}

TEST_F(Apply, WritesTheDisksBeforeItRecordsTheEnd) {
    auto seen = Change::none;
    world.hooks["sync"] = [&] {
        if (world.count("sync") == 1)
            seen = state().change;
    };
    run();
    EXPECT_EQ(seen, Change::begun);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Apply, AnswersAQuestionOnceItHasSettled) {
    say("Is a snapshot created? (y/n): ", milliseconds(300));
    run();
    EXPECT_EQ(typed, "y\n");
    EXPECT_NE(events().find("prompt-answered:apply"), std::string::npos);
}

TEST_F(Apply, WaitsForTheRestOfAQuestion) {
    say("Is a snapshot created? (y/n): ", milliseconds(299));
    run();
    EXPECT_FALSE(typed);
}

TEST_F(Apply, GivesAnUnknownQuestionTimeToBeNone) {
    say("Installing: ", seconds(14));
    run();
    EXPECT_FALSE(typed);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Apply, LogsWhatTheScriptSaysWithTimes) {
    world.work = [this](const Terminal::Session& session) {
        session.on_output("one\ntw");
        session.on_output("o\nReboot now(y/n)? ");
        session.on_quiet(seconds(1));
        session.on_output("\nthe end");
        world.installed = "4.7.0.0";
        return 0;
    };
    run();
    const std::string time = "2027-01-15T08:00:00Z ";
    EXPECT_EQ(log(), time + "um-upgrade id-1: /bin/bash " + mount_point + "/upgrade-um.sh\n" + time +
                         "one\n" + time + "two\n" + time + "Reboot now(y/n)? n\n" + time + "\n" + time +
                         "the end\n" + time + "um-upgrade id-1: the script ended with status 0\n");
}

TEST_F(Apply, WritesTheScriptsLinesToTheJournalToo) {
    say("one\n", seconds(1));
    run();
    const auto found = std::find_if(journal.entries.begin(), journal.entries.end(), [](const Fields& fields) {
        return field(fields, "SYSLOG_IDENTIFIER") == "upgrade-um";
    });
    ASSERT_NE(found, journal.entries.end());
    EXPECT_EQ(field(*found, "MESSAGE"), "one");
    EXPECT_EQ(field(*found, "UM_UPGRADE_ID"), "id-1");
}

TEST_F(Apply, AddsToTheLogThatIsThere) {
    std::filesystem::create_directory(scratch / "logs");
    scratch.file("logs/um-upgrade.log", "older\n");
    run();
    EXPECT_EQ(log().substr(0, 6), "older\n");
}

TEST_F(Apply, WritesToNoLogThatLeadsElsewhere) {
    const auto target = scratch.file("target", "kept");
    std::filesystem::create_directory(scratch / "logs");
    std::filesystem::create_symlink(target, config.log.file);
    EXPECT_EQ(run(), ExitCode::apply_failed);
    std::filesystem::remove(config.log.file);
    std::filesystem::create_hard_link(target, config.log.file);
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(text_of(target), "kept");
    EXPECT_FALSE(world.called("script"));
    EXPECT_EQ(state().outcome, Outcome::failed); // nothing was changed
}

TEST_F(Apply, RunsWhenItIsDue) {
    store().save(due());
    EXPECT_EQ(apply(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Apply, RefusesToStartOutsideItsStage) {
    world.in_unit = true;
    EXPECT_THROW(apply(), UsageError); // there is no record
    for (const auto stage : {Stage::find, Stage::prepare, Stage::reboot, Stage::verify}) {
        auto state = due();
        state.stage = stage;
        store().save(state);
        EXPECT_THROW(apply(), UsageError) << word(stage);
    }
    for (const auto change : {Change::done, Change::failed}) {
        auto state = due();
        state.change = change;
        store().save(state);
        EXPECT_THROW(apply(), UsageError) << word(change);
    }
    auto closed = due();
    closed.outcome = Outcome::failed;
    store().save(closed);
    EXPECT_THROW(apply(), UsageError);
    EXPECT_FALSE(world.called("script"));
}

TEST_F(Apply, UpgradesWithThePackageManagerWhereTheMediaHoldNoScript) {
    bring_packages();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(
        terminal.last_command,
        (std::vector<std::string>{"dnf", "--config", scratch / "state/work/packages.conf", "-y", "upgrade"}));
    EXPECT_EQ(state().change, Change::done);
    EXPECT_FALSE(std::filesystem::exists(scratch / "state/work"));
}

TEST_F(Apply, RemembersWhatWasInstalledAndWhatMayNotGo) {
    bring_packages();
    run();
    EXPECT_EQ(text_of(store().directory() + "/before.list"), "package|0|1|1|noarch\n");
    EXPECT_EQ(text_of(store().directory() + "/staying.list"), "package|0|1|1|noarch\n");
}

TEST_F(Apply, RemembersWhatWasInstalledThoughTheMediaObsoleteIt) {
    bring_packages();
    world.obsoleted = "Opackage\n";
    run();
    EXPECT_EQ(text_of(store().directory() + "/before.list"), "package|0|1|1|noarch\n");
    EXPECT_EQ(text_of(store().directory() + "/staying.list"), "");
}

TEST_F(Apply, FailsWhenThePackageManagerDoes) {
    bring_packages();
    world.work = [](const Terminal::Session&) { return 1; };
    run();
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::packages_failed);
}

TEST_F(Apply, TakesTheMethodThatThePolicyNames) {
    bring_packages();
    world.script = "upgrade-um.sh"; // the media have both
    config.apply.method = Method::packages;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(terminal.last_command.at(0), "dnf");
}

TEST_F(Apply, RefusesMediaThatDoNotHoldWhatTheMethodTakes) {
    config.apply.method = Method::packages;
    EXPECT_EQ(run(), ExitCode::media);
    EXPECT_EQ(state().reason, Reason::media_content);
    bring_packages();
    config.apply.method = Method::script;
    EXPECT_EQ(run(), ExitCode::media);
    EXPECT_EQ(state().reason, Reason::media_content);
}

TEST_F(Apply, RefusesToStartOutsideItsUnit) {
    store().save(due());
    world.in_unit = false;
    EXPECT_THROW(apply(), UsageError);
    EXPECT_FALSE(world.called("script"));
}

TEST_F(Apply, RefusesAMediumThatIsNotTheAuthenticatedOne) {
    for (const auto mounted : {std::optional<std::uint64_t>(1793), std::optional<std::uint64_t>()}) {
        store().save(due());
        world.mounted = mounted;
        EXPECT_EQ(apply(), ExitCode::media);
        EXPECT_EQ(state().reason, Reason::media_changed); // the waiting agent reports it
        EXPECT_EQ(state().change, Change::none);
    }
    store().save(due());
    world.boot = "boot-2"; // device numbers mean nothing in another boot
    EXPECT_EQ(apply(), ExitCode::media);
    EXPECT_FALSE(world.called("script"));
}

TEST_F(Apply, RecordsWhyItFailed) {
    store().save(due());
    world.work = [](const Terminal::Session&) { return 3; };
    EXPECT_EQ(apply(), ExitCode::apply_failed);
    EXPECT_EQ(state().change, Change::failed);
    EXPECT_EQ(state().reason, Reason::script_failed);
    EXPECT_EQ(state().message, "upgrade-um.sh ended with status 3");
    EXPECT_TRUE(state().open()); // closing it is left to the agent
}

TEST_F(Apply, DoesNotBelieveAVersionCommandThatFails) {
    store().save(due());
    world.work = [this](const Terminal::Session&) {
        world.installed.clear();
        return 0;
    };
    EXPECT_EQ(apply(), ExitCode::apply_failed);
    EXPECT_EQ(state().reason, Reason::packages_incomplete);
}

TEST_F(Apply, TypesNothingToALineThatNobodyIsKnownToReadBehind) {
    say("You will be asked: Reboot now? (y/n)\n", seconds(119));
    run();
    EXPECT_FALSE(typed);
    world.reboot();
    verify();
    world.installed = "4.6.0.1";
    world.awaits_input = true;
    say("Reboot now? (y/n)\n", seconds(15));
    run();
    EXPECT_EQ(typed, "n\n");
}

TEST_F(Apply, EndsAnAnswerByALineFeedOnlyWhereALineIsRead) {
    world.reads_keys = true;
    world.awaits_input = true;
    std::vector<std::optional<std::string>> answers;
    for (const bool edits : {false, true}) { // as `read -n 1`, then as `read -e`, which reads on
        world.work = [&](const Terminal::Session& session) {
            session.on_output("Reboot now? (y/n) ");
            answers.push_back(session.on_quiet(seconds(1)));
            session.on_output("n");
            answers.push_back(session.on_quiet(milliseconds(900)));
            world.reads_keys = edits;
            answers.push_back(session.on_quiet(seconds(1)));
            answers.push_back(session.on_quiet(seconds(2)));
            world.reads_keys = true;
            world.installed = "4.7.0.0";
            return 0;
        };
        run();
        world.reboot();
        verify();
        world.installed = "4.6.0.1";
    }
    EXPECT_EQ(answers, (std::vector<std::optional<std::string>>{"n", std::nullopt, std::nullopt, std::nullopt,
                                                                "n", std::nullopt, "\n", std::nullopt}));
}

TEST_F(Apply, TypesAnAnswerOfSeveralKeysAsALineToWhoeverReads) {
    world.reads_keys = true; // as a program that shows asterisks
    config.prompts = {{"word", "pass phrase", "secret"}};
    say("Pass phrase: ", seconds(1));
    run();
    EXPECT_EQ(typed, "secret\n");
}

TEST_F(Apply, TypesAnEmptyAnswerAsALineFeedToWhoeverReads) {
    world.reads_keys = true;
    config.prompts = {{"key", "press any key", ""}};
    say("Press any key", seconds(1));
    run();
    EXPECT_EQ(typed, "\n");
}

TEST_F(Apply, FailsOnWhateverSomebodyIsKnownToWaitFor) {
    world.awaits_input = true;
    say("Enter the license key\n", seconds(16));
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().reason, Reason::script_prompt_unknown);
    EXPECT_NE(state().message.find("Enter the license key"), std::string::npos);
}

TEST_F(Apply, FailsWhereNoAnswerIsTaken) {
    world.work = [](const Terminal::Session& session) {
        for (;;) {
            session.on_output("Reboot now? (y/n) ");
            session.on_quiet(seconds(1));
            session.on_output("\nPlease answer.\n");
        }
        return 0;
    };
    run();
    EXPECT_EQ(state().reason, Reason::script_prompt_unknown);
    EXPECT_THAT(state().message,
                testing::HasSubstr("asks again and again, and takes no 'n' for an answer: Reboot now"));
}

TEST_F(Apply, GivesWhatOnlyLooksLikeAQuestionTwoMinutes) {
    say("Are the services down yet?", seconds(119)); // no process is known to wait for an answer
    EXPECT_EQ(run(), ExitCode::done);
    world.reboot();
    verify();
    world.installed = "4.6.0.1";
    say("Are the services down yet?", seconds(120));
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().reason, Reason::script_prompt_unknown);
}

TEST_F(Apply, EndsNoPackageManagerForWhatOnlyLooksLikeAQuestion) {
    bring_packages();
    say("Is this ok? (y/n)", seconds(200));
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_FALSE(typed);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Apply, HoldsOffAShutdownAndGoesOnWithoutALock) {
    world.fates["inhibit_shutdown"] = Fate::system_failure;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_TRUE(world.called("inhibit_shutdown"));
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Apply, FailsWhereAPackagesScriptFailedThoughRpmWentOn) {
    for (const bool packages : {false, true}) {
        if (packages)
            bring_packages();
        say("warning: %post(linux-6.1-1.x86_64) scriptlet failed, exit status 3\n", milliseconds(0));
        EXPECT_EQ(run(), ExitCode::apply_failed);
        EXPECT_EQ(state().reason, Reason::packages_incomplete);
        EXPECT_NE(state().message.find("%post(linux-6.1-1.x86_64)"), std::string::npos);
        abandon("next");
        world.installed = "4.6.0.1";
    }
    say(">>> [RPM] %post(linux-6.1-1.x86_64) scriptlet failed, exit status 1\n", milliseconds(0)); // dnf5
    EXPECT_EQ(run(), ExitCode::apply_failed);
    abandon("next");
    world.installed = "4.6.0.1";
    say("warning: %postun(old-1-1.noarch) scriptlet failed, exit status 1\n", milliseconds(0));
    EXPECT_EQ(run(), ExitCode::done);
}
