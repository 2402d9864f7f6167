// Whether anything prevents an upgrade of the appliance. Nothing is changed to find out.

#include "base/file.hpp"
#include "unit/story.hpp"

#include <filesystem>

using namespace um;
using namespace um::test;

using Check = Story;

namespace {

std::string reasons_of(const CheckResult& result) {
    std::string text;
    for (const auto& finding : result.findings)
        text += (text.empty() ? "" : " ") + std::string(word(finding.reason));
    return text;
}

} // namespace

TEST_F(Check, IsReadyAndLeavesNothingBehind) {
    const auto before = files();
    const auto result = check();
    EXPECT_EQ(reasons_of(result), "");
    EXPECT_FALSE(result.nothing_to_do);
    EXPECT_EQ(result.signer->subject, "CN=Vendor");
    EXPECT_EQ(result.state.to_version, "4.7.0.0");
    EXPECT_EQ(files(), before);
    EXPECT_FALSE(world.mounted);
    for (const auto* call : {"script", "wait", "run modprobe", "enable sshd.service", "reboot"})
        EXPECT_FALSE(world.called(call)) << call;
    EXPECT_EQ(events(), "");
}

TEST_F(Check, ListsEveryRefusalOfMediaAndAppliance) {
    world.sidecars.erase(stem + ".sign");
    world.sidecars[stem + ".mf"] = std::string(64, '0') + "  " + iso_name + "\n";
    std::filesystem::remove(confirmation());
    world.free_space = 0;
    EXPECT_EQ(reasons_of(check()),
              "media.sidecar-missing manifest.mismatch snapshot.unconfirmed space.insufficient");
}

TEST_F(Check, MountsNothingThatIsNotGenuine) {
    crypto.findings = {refusal({Reason::certificate_untrusted, "no", "mend"})};
    EXPECT_EQ(reasons_of(check()), "certificate.untrusted");
    EXPECT_FALSE(world.called("mount"));
}

TEST_F(Check, TellsWhatItFoundWhenTheMachineFails) {
    crypto.findings = {warning({Reason::digest_weak, "SHA-1", "mend"})};
    world.fates["digest"] = Fate::system_failure;
    const auto result = check();
    EXPECT_EQ(result.failure, "digest: Input/output error");
    EXPECT_EQ(result.findings.size(), 1U);
    EXPECT_FALSE(world.called("mount"));
}

TEST_F(Check, TakesNothingAwayFromAChangeAtWork) {
    world.fates["wait"] = Fate::crash;
    run_and_crash();
    world.units[apply_unit].active = "activating";
    world.calls.clear();
    EXPECT_THROW(check(), Failure);
    EXPECT_FALSE(world.called("adopt"));
}

TEST_F(Check, RefusesWithoutMedia) {
    world.paths.clear();
    EXPECT_EQ(reasons_of(check()), "media.none");
}

TEST_F(Check, HasNothingToDoWhenTheMediaAreInstalled) {
    world.installed = "4.7.0.0";
    const auto result = check();
    EXPECT_TRUE(result.nothing_to_do);
    EXPECT_EQ(reasons_of(result), "");
    EXPECT_FALSE(world.called("digest"));
}

TEST_F(Check, IsRefusedWhileAnEarlierUpgradeNeedsAPerson) {
    world.work = [](const Terminal::Session&) { return 1; };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    const auto result = check();
    EXPECT_TRUE(result.needs_person);
    ASSERT_EQ(reasons_of(result), "script.failed");
    EXPECT_TRUE(is_refusal(result.findings[0]));
    EXPECT_EQ(result.findings[0].message, "upgrade " + state().id + " needs a person: " + state().message);
    EXPECT_NE(result.findings[0].hint.find("um-upgrade abandon --why TEXT"), std::string::npos);
    abandon("seen to");
    EXPECT_FALSE(check().needs_person);
}

TEST_F(Check, SaysThatAnUpgradeIsOpen) {
    upgrade();
    const auto result = check();
    EXPECT_FALSE(result.needs_person);
    EXPECT_EQ(reasons_of(result), "interrupted");
    EXPECT_FALSE(is_refusal(result.findings.at(0)));
    verify();
    EXPECT_EQ(reasons_of(check()), "");
}

TEST_F(Check, IsRefusedByARecordThatCannotBeUnderstood) {
    upgrade();
    replace_file(store().path(), "no record at all");
    const auto result = check();
    EXPECT_TRUE(result.needs_person);
    EXPECT_EQ(reasons_of(result), "state.damaged");
}

TEST_F(Check, SaysThatTheMachineItselfFails) {
    world.fates["status um-upgrade-apply.service"] = Fate::system_failure;
    EXPECT_EQ(check().failure, "status um-upgrade-apply.service: Input/output error");
}

TEST_F(Check, CallsAnUpgradeThatWaitsForItsRebootNoInterruptedOne) {
    config.reboot.policy = RebootPolicy::manual;
    EXPECT_EQ(run(), ExitCode::done);
    const auto result = check();
    ASSERT_FALSE(result.findings.empty());
    EXPECT_EQ(result.findings[0].reason, Reason::reboot_pending);
    EXPECT_EQ(result.findings[0].hint, "run 'reboot'");
}
