// The whole procedure, and what it leaves alone.

#include "base/file.hpp"
#include "cli/commands.hpp"
#include "unit/story.hpp"

#include <filesystem>

using namespace um;
using namespace um::test;

using Procedure = Story;
using Verify = Story;

TEST_F(Procedure, TellsTheWholeStoryOnce) {
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(events(),
              "upgrade-started stage-started:find stage-finished:find stage-started:authenticate "
              "stage-finished:authenticate "
              "stage-started:mount stage-finished:mount stage-started:preflight stage-finished:preflight "
              "stage-started:prepare stage-finished:prepare stage-started:apply stage-finished:apply "
              "stage-started:reboot reboot-requested:reboot");
    EXPECT_EQ(state().stage, Stage::reboot);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_TRUE(state().open());
    EXPECT_FALSE(world.mounted);
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(events(),
              "stage-finished:reboot stage-started:verify stage-finished:verify upgrade-finished:succeeded");
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_EQ(closed(), 1U);
}

TEST_F(Procedure, NamesTheUpgradeInEveryEntryOfItsStory) {
    upgrade();
    EXPECT_EQ(verify(), ExitCode::done);
    for (const auto& entry : journal.entries) {
        EXPECT_EQ(field(entry, "UM_UPGRADE_ID"), "id-1");
        EXPECT_EQ(field(entry, "UM_FROM_VERSION"), "4.6.0.1");
        EXPECT_EQ(field(entry, "UM_TO_VERSION"), "4.7.0.0");
        EXPECT_EQ(field(entry, "UM_MEDIA"), iso_name);
    }
    EXPECT_EQ(field(journal.entries.back(), "UM_MEDIA_SHA256"), sha256);
    EXPECT_EQ(field(journal.entries.back(), "UM_SIGNER"), "CN=Vendor");
}

TEST_F(Procedure, BelievesNothingBeforeItIsAuthenticated) {
    run();
    const auto position = [&](const std::string& call) {
        return std::find(world.calls.begin(), world.calls.end(), call) - world.calls.begin();
    };
    EXPECT_LT(position("verify_signature"), position("mount"));
    EXPECT_LT(position("digest"), position("expect_unchanged"));
    EXPECT_LT(position("expect_unchanged"), position("mount"));
    EXPECT_LT(position("mount"), position("script"));
    EXPECT_EQ(world.count("open"), 1); // the medium is one descriptor all the time
}

TEST_F(Procedure, DoesNothingWithoutMedia) {
    world.paths.clear();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(field(journal.entries.at(0), "UM_UPGRADE_ID"), "");
    EXPECT_EQ(field(journal.entries.at(0), "MESSAGE"), "nothing to do: no media in /media/*.iso, /dev/cdrom");
    EXPECT_EQ(events(), "upgrade-finished:nothing-to-do");
    EXPECT_FALSE(recorded());
}

TEST_F(Procedure, DoesNothingWhenTheMediaAreInstalled) {
    world.installed = "4.7.0.0";
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(events(), "upgrade-finished:nothing-to-do");
    EXPECT_FALSE(recorded());
    EXPECT_FALSE(world.called("open"));
}

TEST_F(Procedure, KeepsTheLastRecordWhenThereIsNothingToDo) {
    upgrade();
    verify();
    const auto before = files();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(files(), before);
}

TEST_F(Procedure, FindsTheDrivesMediumByItsManifest) {
    world.paths = {"/dev/cdrom"};
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().media, iso_name);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Procedure, TakesTheMediaThatItIsGiven) {
    world.paths = {"/media/other.iso", iso_path};
    only_media = iso_path;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Procedure, MarksAcceptedSha1InTheAuditAndSucceedsAllTheSame) {
    world.sidecars[stem + ".mf"] = std::string(40, 'a') + "  " + iso_name + "\n";
    upgrade();
    EXPECT_NE(events().find("warning:authenticate:digest.weak"), std::string::npos);
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Procedure, TakesAManifestAloneWhereThePolicySaysSo) {
    config.trust.require = Require::digest;
    world.sidecars.erase(stem + ".crt");
    world.sidecars.erase(stem + ".sign");
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
    EXPECT_EQ(state().signer, "");
}

TEST_F(Procedure, AssumesASnapshotWhereThePolicySaysSo) {
    std::filesystem::remove(confirmation());
    config.snapshot.confirmation = Confirmation::assume;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().change, Change::done);
}

TEST_F(Procedure, EnablesAndStartsSshd) {
    world.units["sshd.service"].enablement = "disabled";
    world.units["sshd.service"].active = "inactive";
    run();
    EXPECT_TRUE(world.called("enable sshd.service"));
    EXPECT_TRUE(world.called("start sshd.service"));
}

TEST_F(Procedure, LeavesSshdAloneWhereThePolicySaysSo) {
    config.sshd.manage = false;
    world.units["sshd.service"].masked = true;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_FALSE(world.called("status sshd.service"));
}

TEST_F(Procedure, RebootsNow) {
    run();
    EXPECT_TRUE(world.called("reboot"));
    EXPECT_FALSE(world.called("schedule_reboot"));
}

TEST_F(Procedure, RebootsWithNotice) {
    config.reboot.policy = RebootPolicy::notice;
    run();
    EXPECT_TRUE(world.called("schedule_reboot"));
    EXPECT_FALSE(world.called("reboot"));
    verify(); // the hourly start, after somebody has cancelled it
    EXPECT_EQ(world.count("schedule_reboot"), 1);
    run();
    EXPECT_EQ(world.count("schedule_reboot"), 2);
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Procedure, RebootsAfterTheNoticeWhereLogindIsGone) {
    config.reboot.policy = RebootPolicy::notice;
    world.fates["schedule_reboot"] = Fate::system_failure;
    const auto begin = world.uptime;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_TRUE(world.called("reboot"));
    EXPECT_GE(world.uptime - begin, config.reboot.notice);
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Procedure, DoesNotCallAChangedAppliancePreflight) {
    world.work = [this](const Terminal::Session&) {
        world.installed = "4.7.0.0";
        world.units[verify_unit].masked = true;
        return 0;
    };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::services_unhealthy);
}

TEST_F(Procedure, TellsAnOpenUpgradeThatItsConfigurationIsWrong) {
    Console console;
    Audit audit(journal, console);
    const auto tell = [&] {
        tell_open_upgrade(audit, scratch / "state", scratch / "run", ConfigError("um.conf:1: wrong"));
    };
    tell();
    EXPECT_EQ(events(), ""); // there is no open upgrade
    upgrade();
    events();
    tell();
    EXPECT_EQ(events(), "stage-failed:reboot:system.failed");
    EXPECT_TRUE(state().open());
    verify();
    events();
    tell();
    EXPECT_EQ(events(), "");
}

TEST_F(Procedure, LeavesTheRebootToTheOperator) {
    config.reboot.policy = RebootPolicy::manual;
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_FALSE(world.called("schedule_reboot"));
    EXPECT_FALSE(world.called("reboot"));
    EXPECT_EQ(state().stage, Stage::reboot);
    EXPECT_EQ(verify(), ExitCode::done); // it has not booted yet
    EXPECT_EQ(state().stage, Stage::reboot);
    world.reboot();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
}

TEST_F(Verify, DoesNothingWhenNothingWaitsForIt) {
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_TRUE(world.calls.empty());
    upgrade();
    verify();
    world.calls.clear();
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_TRUE(world.calls.empty());
}

TEST_F(Verify, IsWhatRunDoesToo) {
    upgrade();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded);
    EXPECT_EQ(world.ids, 1U);
}

TEST_F(Verify, WaitsForServicesThatComeUp) {
    upgrade();
    world.units["vmware-um-login.service"].active = "activating";
    world.hooks["sleep"] = [&] {
        if (world.count("sleep") == 3)
            world.units["vmware-um-login.service"].active = "active";
    };
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(world.count("sleep"), 3);
}

TEST_F(Verify, GivesUpAtTheDeadline) {
    upgrade();
    world.status_report = "journal: Offline\n";
    EXPECT_EQ(verify(), ExitCode::verification_failed);
    EXPECT_EQ(world.count("sleep"), 300); // 10 min in steps of 2 s
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::verify_status);
}

TEST_F(Verify, DoesNotWaitForWhatCannotSettle) {
    upgrade();
    world.installed = "4.6.0.1";
    EXPECT_EQ(verify(), ExitCode::verification_failed);
    EXPECT_FALSE(world.called("sleep"));
    EXPECT_EQ(state().reason, Reason::verify_version);
}

TEST_F(Verify, SucceedsWithWarningsForServicesThatRunWithErrors) {
    upgrade();
    world.status_report = "journal: Running with errors\n";
    EXPECT_EQ(verify(), ExitCode::done);
    EXPECT_EQ(state().outcome, Outcome::succeeded_with_warnings);
    EXPECT_FALSE(world.called("sleep"));
}

TEST_F(Verify, RunsTheStatusScriptAsTheProductsUser) {
    upgrade();
    verify();
    EXPECT_TRUE(world.called("run /bin/bash as usagemeter"));
}

TEST_F(Procedure, LooksAtTheMediaOnceMoreBeforeTheChange) {
    world.hooks["run modprobe"] =
        [this] { // after the mount, when a service was started or a person was asked
            world.failures.emplace("expect_unchanged",
                                   Failure(Reason::media_changed, "written to", "leave it"));
        };
    run();
    EXPECT_FALSE(world.called("wait"));
    EXPECT_FALSE(world.mounted);
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::media_changed);
}
