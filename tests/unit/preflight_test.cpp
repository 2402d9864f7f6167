#include "base/text.hpp"
#include "checks/preflight.hpp"

#include <gtest/gtest.h>

using namespace um;
using std::chrono::hours;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;
const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));

/// The facts of an appliance that may be upgraded with its media.
Facts good_facts() {
    Facts facts;
    facts.installed_version = "4.6.0.1";
    facts.snapshot = SnapshotConfirmation{"before 4.7", "root", "4.6.0.1", now - hours(1), now + hours(23)};
    facts.now = now;
    facts.database.newest = {now - hours(1000), "tzdata"};
    facts.host_name = HostNameFacts{"um", "um.example.test",
                                    CertificateNames{{"um.example.test"}, {"um.example.test"}}, ""};
    facts.volumes = {{"/", 100 * mebibyte, 1000, 100 * mebibyte, 1000}, {"/boot", 5, 1, 5, 1}};
    facts.sshd = SshdFacts{"sshd.service", {true, false, "active"}, "enabled"};
    return facts;
}
const std::string good_media = "4.7.0.0";

/// The reasons, with warnings in brackets.
std::string reasons_of(const Facts& facts, const std::string& media = good_media, const Config& config = {}) {
    std::string text;
    for (const auto& finding : judge_preflight(facts, media, config)) {
        EXPECT_FALSE(finding.message.empty());
        EXPECT_FALSE(finding.hint.empty());
        const std::string reason(word(finding.reason));
        text += (text.empty() ? "" : " ") + (is_refusal(finding) ? reason : "(" + reason + ")");
    }
    return text;
}

std::string message_of(const Facts& facts, const std::string& media = good_media) {
    const auto findings = judge_preflight(facts, media, {});
    return findings.size() == 1 ? findings[0].message : std::to_string(findings.size()) + " findings";
}

} // namespace

TEST(Preflight, LetsAGoodApplianceTakeGoodMedia) {
    EXPECT_EQ(reasons_of(good_facts()), "");
}

TEST(Preflight, RefusesWhatIsNotNewer) {
    auto facts = good_facts();
    EXPECT_EQ(reasons_of(facts, {"4.6.0.1"}), "version.not-newer");
    EXPECT_EQ(reasons_of(facts, {"4.5.9"}), "version.not-newer");
    EXPECT_EQ(message_of(facts, {"4.6.0.1~rc1"}), "the media hold 4.6.0.1~rc1, but 4.6.0.1 is installed");
}

TEST(Preflight, RefusesASourceThatIsTooOld) {
    auto facts = good_facts();
    facts.installed_version = facts.snapshot->version = "4.2.9";
    EXPECT_EQ(reasons_of(facts), "version.source-too-old");
    facts.installed_version = facts.snapshot->version = "4.3";
    EXPECT_EQ(reasons_of(facts), "");
}

TEST(Preflight, RefusesAnApplianceWithoutTheProduct) {
    auto facts = good_facts();
    facts.installed_version.reset();
    facts.version_output = "package cloudusagemetering is not installed";
    EXPECT_EQ(reasons_of(facts), "product.absent");
    EXPECT_EQ(message_of(facts),
              "the product's version cannot be determined: package cloudusagemetering is not installed");
}

TEST(Preflight, RefusesAnUnconfirmedSnapshotUnlessOneIsAssumed) {
    auto facts = good_facts();
    facts.snapshot.reset();
    EXPECT_EQ(reasons_of(facts), "snapshot.unconfirmed");
    Config config;
    config.snapshot.confirmation = Confirmation::assume;
    EXPECT_EQ(reasons_of(facts, good_media, config), "");
}

TEST(Preflight, RefusesASnapshotOfAnotherVersion) {
    auto facts = good_facts();
    facts.snapshot->version = "4.5.0.0";
    EXPECT_EQ(reasons_of(facts), "snapshot.unconfirmed");
    EXPECT_EQ(message_of(facts),
              "snapshot 'before 4.7' was confirmed for version 4.5.0.0, but 4.6.0.1 is installed");
}

TEST(Preflight, RefusesAConfirmationOutOfItsTime) {
    auto facts = good_facts();
    facts.snapshot->valid_until = now;
    EXPECT_EQ(reasons_of(facts), "snapshot.expired");
    facts.snapshot->valid_until = now + std::chrono::seconds(1);
    EXPECT_EQ(reasons_of(facts), "");
    facts.snapshot->confirmed = now + std::chrono::seconds(1); // the clock was set back
    EXPECT_EQ(reasons_of(facts), "snapshot.expired");
    EXPECT_NE(message_of(facts).find("the machine's clock says 2027-01-15T08:00:00Z"), std::string::npos)
        << message_of(facts);
}

TEST(Preflight, RefusesTooLittleSpaceByFileSystem) {
    for (const std::size_t lacking : {0U, 1U}) {
        auto facts = good_facts();
        facts.volumes[lacking].available -= 1;
        EXPECT_EQ(reasons_of(facts), "space.insufficient");
        EXPECT_EQ(message_of(facts).find(facts.volumes[lacking].mount_point + ": "), 0U) << message_of(facts);
    }
    auto facts = good_facts();
    facts.volumes[0].available_files = 999;
    EXPECT_EQ(message_of(facts), "/: room for 999 more files (inodes), the upgrade needs 1000");
    facts.volumes[0].available = 0;
    EXPECT_EQ(reasons_of(facts), "space.insufficient space.insufficient");
}

TEST(Preflight, RefusesAClockThatCannotBeRight) {
    auto facts = good_facts();
    const auto at = [&](std::int64_t seconds) {
        facts.now = std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
        facts.database.newest.reset();
        facts.snapshot->confirmed = facts.now;
        facts.snapshot->valid_until = facts.now + hours(1);
        return reasons_of(facts);
    };
    EXPECT_EQ(at(315'532'800), "clock.implausible"); // 1980
    EXPECT_EQ(message_of(facts), "the clock says 1980-01-01T00:00:00Z: that is before this program was made");
    EXPECT_EQ(at(3'471'292'800), "clock.implausible"); // 2080
    EXPECT_EQ(at(1'767'225'600), "");                  // 2026
    EXPECT_EQ(at(2'524'608'000), "");                  // 2050
    facts = good_facts();
    facts.database.newest = {now + hours(25), "tzdata"};
    EXPECT_EQ(reasons_of(facts), "clock.implausible");
    EXPECT_NE(message_of(facts).find("the package tzdata was installed later than that"), std::string::npos);
    facts.database.newest = {now + hours(23), "tzdata"};
    EXPECT_EQ(reasons_of(facts), "");
}

TEST(Preflight, RefusesAWrongHostNameOrWarns) {
    auto facts = good_facts();
    facts.host_name->host_name = facts.host_name->full_name = "other.example.test";
    EXPECT_EQ(reasons_of(facts), "hostname.mismatch");
    Config config;
    config.hostname.mismatch = Mismatch::warn;
    EXPECT_EQ(reasons_of(facts, good_media, config), "(hostname.mismatch)");
}

TEST(Preflight, WarnsOfWhatIsNotWellAndRefusesAPendingReboot) {
    auto facts = good_facts();
    facts.unhealthy = {"a.service", "journal"};
    EXPECT_EQ(reasons_of(facts), "(services.unhealthy) (services.unhealthy)");
    facts = good_facts();
    facts.pending_reboot = "a reboot is scheduled";
    EXPECT_EQ(reasons_of(facts), "reboot.pending");
}

TEST(Preflight, RefusesAnSshdThatCannotBeManaged) {
    auto facts = good_facts();
    facts.sshd->service.loaded = false;
    EXPECT_EQ(reasons_of(facts), "sshd.unmanageable");
    facts.sshd.reset(); // [sshd] manage = no
    EXPECT_EQ(reasons_of(facts), "");
}

TEST(Preflight, ListsEveryRefusalAtOnce) {
    Facts facts = good_facts();
    facts.installed_version = "4.2";
    facts.snapshot.reset();
    facts.volumes[0].available = 0;
    facts.objection = "nothing provides java";
    facts.host_name->certificate.reset();
    EXPECT_EQ(reasons_of(facts, {"4.1"}), "version.not-newer version.source-too-old snapshot.unconfirmed "
                                          "hostname.unknown space.insufficient packages.unsolvable");
}

TEST(Preflight, WritesSizesAsPeopleReadThem) {
    EXPECT_EQ(human_size(0), "0.0 MiB");
    EXPECT_EQ(human_size(224'712'345), "214.3 MiB");
    EXPECT_EQ(human_size(1024 * mebibyte), "1.0 GiB");
    EXPECT_EQ(human_size(5'000'000'000), "4.7 GiB");
}

TEST(Preflight, RefusesAnRpmDatabaseThatIsWrittenToOrDamaged) {
    auto facts = good_facts();
    facts.database.writer = "dnf (process 7)";
    EXPECT_EQ(reasons_of(facts), "packages.locked");
    EXPECT_EQ(message_of(facts), "dnf (process 7) is changing packages right now");
    facts.database = {};
    facts.database.damage = "rpm -qa ended with status 1: error";
    EXPECT_EQ(reasons_of(facts), "packages.damaged");
    facts.database = {};
    facts.database.duplicates = {"a.noarch is installed 2 times"};
    EXPECT_EQ(reasons_of(facts), "packages.damaged");
}
