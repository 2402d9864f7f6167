// What preflight gathers: the space of a transaction, sshd's unit, the operator's checks, and other facts.

#include "checks/admin_checks.hpp"
#include "checks/sshd.hpp"
#include "checks/survey.hpp"
#include "packages/transaction.hpp"
#include "unit/story.hpp"

#include <gmock/gmock.h>

#include <filesystem>

using namespace um;
using namespace um::test;
using testing::HasSubstr;

namespace {

OfferedPackage offer(const std::string& name, const std::string& version, std::set<std::string> needs = {},
                     std::set<std::string> obsoletes = {}) {
    return {{name, "0", version, "1", "noarch"},
            "/m/" + name + ".rpm",
            {name, "lib" + name},
            std::move(needs),
            std::move(obsoletes),
            {}};
}

std::string names(const std::vector<OfferedPackage>& packages) {
    std::string text;
    for (const auto& package : packages)
        text += (text.empty() ? "" : " ") + package.package.name;
    return text;
}

Package installed(const std::string& name, const std::string& version) {
    return {name, "0", version, "1", "noarch"};
}

/// A machine with several file systems. Only some directories exist.
class ManyVolumes : public FakeAppliance {
public:
    explicit ManyVolumes(World& world) : FakeAppliance(world) {}
    bool directory_exists(const std::string& path) override {
        return path == "/" || path == "/boot" || path == "/opt" || path == "/opt/vmware" || path == "/usr";
    }
    Space space(const std::string& path) override {
        const std::uint64_t device = path == "/boot" ? 2 : path == "/opt" || path == "/opt/vmware" ? 3 : 1;
        return {device, 1000 * device, 10 * device};
    }
};

} // namespace

TEST(Transaction, TakesWhatIsNewerAndWhatObsoletes) {
    const std::vector<Package> here{installed("a", "1"), installed("b", "2"), installed("old", "1")};
    EXPECT_EQ(
        names(selected({offer("a", "2"), offer("b", "2"), offer("c", "1"), offer("new", "1", {}, {"old"})},
                       here, {})),
        "a new");
}

TEST(Transaction, TakesTheNewestAndNoKernelThatIsThere) {
    const std::vector<OfferedPackage> media{offer("linux", "2"), offer("a", "2"), offer("a", "3"),
                                            offer("b", "1"), offer("b", "2", {}, {"old"})};
    EXPECT_EQ(names(selected(media,
                             {installed("linux", "1"), installed("linux", "2"), installed("a", "1"),
                              installed("old", "1")},
                             {})),
              "a b");
    EXPECT_EQ(selected({offer("a", "3"), offer("a", "2")}, {installed("a", "1")}, {}).at(0).package.version,
              "3");
}

TEST(Transaction, TakesWhatIsRequiredAndNotProvidedYet) {
    const std::vector<OfferedPackage> media{offer("a", "2", {"libb", "libhere", "/bin/sh", "rpmlib(X)"}),
                                            offer("b", "1", {"libc"}), offer("c", "1"), offer("here", "1"),
                                            offer("unrelated", "1")};
    EXPECT_EQ(names(selected(media, {installed("a", "1")}, {"libhere"})), "a b c");
}

TEST(VolumesOfAChange, AddUpByFileSystemWhereDirectoriesWillBe) {
    World world;
    ManyVolumes appliance(world);
    Volumes volumes(appliance);
    volumes.add("/opt/vmware/new/deeper/", 5, 1);
    volumes.add("/boot", 7, 2);
    volumes.add("/usr/lib/", 1, 1);
    volumes.add("/var", 2);
    std::string text;
    for (const auto& volume : volumes.list())
        text += fmt::format("{} {}/{} {}/{}; ", volume.mount_point, volume.needed, volume.available,
                            volume.needed_files, volume.available_files);
    EXPECT_EQ(text, "/ 3/1000 1/10; /boot 7/2000 2/20; /opt 5/3000 1/30; ");
}

struct Sshd : Story {
    FakeServices services{world, [] {}};
    SshdFacts look(const std::string& known = {}) { return look_at_sshd(services, config.sshd, known); }
    std::string ensured() { return ensure_sshd(services, look(), config.sshd); }
    std::string finding() {
        const auto findings = judge_sshd(look(), config.sshd);
        return findings.empty() ? "" : findings.front().message;
    }
    test::FakeUnit& unit(const std::string& name) { return world.units[name]; }
};

TEST_F(Sshd, IsLeftAsItIsWhereItIsEnabledAndActive) {
    EXPECT_EQ(ensured(), "sshd.service was enabled and active");
    EXPECT_FALSE(world.called("enable sshd.service") || world.called("start sshd.service"));
}

TEST_F(Sshd, IsEnabledAndStarted) {
    unit("sshd.service") = {{true, false, "inactive"}, "disabled"};
    EXPECT_EQ(ensured(), "sshd.service was disabled and inactive");
    EXPECT_TRUE(world.called("enable sshd.service") && world.called("start sshd.service"));
}

TEST_F(Sshd, ThatOnlyAnAliasOfAnAdministratorsLeadsToIsEnabled) {
    unit("sshd.service").enablement = "indirect";
    EXPECT_EQ(ensured(), "sshd.service was indirect and active");
    EXPECT_TRUE(world.called("enable sshd.service"));
}

TEST_F(Sshd, ThatIsStaticIsStartedAlone) {
    unit("sshd.service") = {{true, false, "inactive"}, "static"};
    EXPECT_EQ(ensured(), "sshd.service was static and inactive");
    EXPECT_FALSE(world.called("enable sshd.service"));
    EXPECT_TRUE(world.called("start sshd.service"));
}

TEST_F(Sshd, ThatIsMaskedOrMissingIsAFinding) {
    unit("sshd.service") = {{false, true, "inactive"}, "masked"};
    EXPECT_EQ(finding(), "sshd.service is masked");
    EXPECT_THROW(ensured(), Failure);
    unit("sshd.service") = {};
    EXPECT_EQ(finding(), "sshd.service is not installed");
}

TEST_F(Sshd, IsEnabledByItsOwnNameWhereItsNameIsAnAlias) {
    unit("sshd.service") = unit("ssh.service") = {{true, false, "inactive"}, "disabled"};
    world.aliases["sshd.service"] = "ssh.service";
    EXPECT_EQ(ensured(), "ssh.service was disabled and inactive");
    EXPECT_TRUE(world.called("enable ssh.service") && world.called("start ssh.service"));
}

TEST_F(Sshd, IsFoundAgainWhenTheUpgradeTookItsAliasAway) {
    unit("sshd.service") = {};
    unit("openssh.service") = {{true, false, "inactive"}, "disabled"};
    EXPECT_EQ(look("openssh.service").unit, "openssh.service");
    unit("ssh.service") = {{true, false, "inactive"}, "disabled"};
    EXPECT_EQ(look().unit, "ssh.service");
    config.sshd.unit = "other.service"; // a unit that an operator names is not replaced by a guess
    EXPECT_EQ(finding(), "other.service is not installed");
}

TEST_F(Sshd, IsLeftToItsSocketWhereThatListens) {
    unit("sshd.service") = {{true, false, "inactive"}, "disabled"};
    unit("sshd.socket") = {{true, false, "active"}, "enabled"};
    EXPECT_EQ(ensured(), "sshd.socket listens");
    EXPECT_FALSE(world.called("enable sshd.service") || world.called("start sshd.service"));
    unit("sshd.service") = {}; // Accept=yes: only instances exist
    EXPECT_EQ(finding(), "");
}

TEST_F(Sshd, ThatDoesNotStartIsAFailureWithItsWords) {
    unit("sshd.service") = {{true, false, "failed"}, "enabled"};
    world.fates["start sshd.service"] = Fate::system_failure;
    try {
        ensured();
        ADD_FAILURE() << "it did start";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::sshd_unmanageable);
        EXPECT_THAT(failure.hint(), HasSubstr("systemctl status sshd.service"));
    }
}

struct AdminChecks : Story {
    AdminChecks() {
        world.checks["/etc/um-upgrade/checks.d/required"] = {{"/r/10-backup", ""},
                                                             {"/r/20-open", "others can write"}};
        world.checks["/etc/um-upgrade/checks.d/wanted"] = {{"/w/10-load", ""}};
        for (const auto* program : {"/r/10-backup", "/w/10-load"})
            world.programs[program] = {0, "fine\n", false};
    }
    std::string found(Occasion occasion) {
        FakeAppliance appliance(world);
        std::string text;
        for (const auto& finding : run_admin_checks(appliance, occasion, "4.7"))
            text += fmt::format("{}{}: {}; {}\n", is_refusal(finding) ? "" : "warning ", word(finding.reason),
                                finding.message, finding.hint);
        return text;
    }
};

TEST_F(AdminChecks, RefuseWhereRequiredAndWarnWhereWanted) {
    world.programs["/w/10-load"] = {1, "looking\nthe load is 9\n", false};
    EXPECT_EQ(found(Occasion::before),
              "check.failed: the required check '/r/20-open' fails: others can write; run "
              "'/r/20-open before 4.7' by hand\n"
              "warning check.failed: the wanted check '/w/10-load' fails: exit status 1: the load is 9; run "
              "'/w/10-load before 4.7' by hand\n");
    EXPECT_TRUE(world.called("run /r/10-backup"));
    EXPECT_FALSE(world.called("run /r/20-open"));
}

TEST_F(AdminChecks, HaveATimeLimitAndAReasonOfTheirOwnAfterTheChange) {
    world.checks["/etc/um-upgrade/checks.d/required"].pop_back();
    world.programs["/r/10-backup"] = {137, "", true};
    EXPECT_EQ(found(Occasion::after),
              "verify.check: the required check '/r/10-backup' fails: it did not end in 5 min; run "
              "'/r/10-backup after 4.7' by hand\n");
}

struct Preflights : Story {
    /// The reasons that a check finds, with warnings in brackets.
    std::string reasons() {
        std::string text;
        for (const auto& finding : check().findings) {
            const std::string reason(word(finding.reason));
            text += (text.empty() ? "" : " ") + (is_refusal(finding) ? reason : "(" + reason + ")");
        }
        return text;
    }
};

TEST_F(Preflights, AskForAPendingReboot) {
    world.shutdown_due = "poweroff";
    EXPECT_EQ(reasons(), "reboot.pending");
    world.shutdown_due.clear();
    world.files["/run/reboot-required"] = 0;
    EXPECT_EQ(reasons(), "reboot.pending");
}

TEST_F(Preflights, SeeWhoIsNotWell) {
    world.units["vmware-um-login.service"].active = "failed";
    world.status_report = "journal: Offline\n";
    EXPECT_EQ(reasons(), "(services.unhealthy) (services.unhealthy)");
}

TEST_F(Preflights, WaitAfterABootForWhatIsStillComingUp) {
    world.uptime = std::chrono::seconds(40);
    world.units["vmware-um-login.service"].active = "activating";
    const auto certificate = std::exchange(world.certificate, std::nullopt);
    int slept = 0;
    world.hooks["sleep"] = [&] {
        if (++slept == 5)
            world.units["vmware-um-login.service"].active = "active";
        if (slept == 7)
            world.certificate = certificate;
    };
    EXPECT_EQ(started([](Job& job) {
                  job.patient = true;
                  return run_procedure(job);
              }),
              ExitCode::done);
    EXPECT_EQ(slept, 7);
    EXPECT_EQ(state().unhealthy, "");
}

TEST_F(Preflights, DoNotWaitForEverNorWhereAPersonAsks) {
    world.uptime = std::chrono::seconds(40);
    world.certificate.reset();
    EXPECT_EQ(reasons(), "hostname.unknown"); // a check asks once
    EXPECT_FALSE(world.called("sleep"));
    EXPECT_EQ(started([](Job& job) {
                  job.patient = true;
                  return run_procedure(job);
              }),
              ExitCode::preflight_refused);
    EXPECT_LT(world.uptime, std::chrono::minutes(11));
}

TEST_F(Preflights, CompareTheHostName) {
    world.host_name = "elsewhere";
    EXPECT_EQ(reasons(), "hostname.mismatch");
    world.certificate.reset();
    EXPECT_EQ(reasons(), "hostname.unknown");
    config.hostname.mismatch = Mismatch::warn;
    EXPECT_EQ(reasons(), "(hostname.unknown)");
}

TEST_F(Preflights, TakeTheHypervisorsWordForASnapshot) {
    std::filesystem::remove(confirmation());
    EXPECT_EQ(reasons(), "snapshot.unconfirmed");
    world.programs["vmware-rpctool"] = {
        0, "name=nightly; version=4.6.0.1; valid-until=2027-02-01T00:00:00Z\n", false};
    EXPECT_EQ(reasons(), "");
    world.programs["vmware-rpctool"].output =
        "name=nightly; version=4.6.0.1; valid-until=2027-01-01T00:00:00Z\n";
    EXPECT_EQ(reasons(), "snapshot.expired");
    world.programs["vmware-rpctool"].output = "No value found\n";
    EXPECT_EQ(reasons(), "snapshot.unconfirmed");
    confirm_snapshot("4.6.0.1"); // the operator's confirmation is enough
    EXPECT_EQ(reasons(), "");
}

TEST_F(Preflights, RunTheOperatorsChecks) {
    world.checks["/etc/um-upgrade/checks.d/required"] = {{"/r/10-backup", "it cannot be executed"}};
    EXPECT_EQ(reasons(), "check.failed");
}
