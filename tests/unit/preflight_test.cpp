#include "upgrade/preflight.hpp"

#include <gtest/gtest.h>

using namespace um;
using std::chrono::hours;

namespace {

constexpr std::uint64_t mebibyte = 1024 * 1024;
const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000));

/// An appliance that may be upgraded, and media that may be applied to it.
Facts good_facts() {
    Facts facts;
    facts.installed_version = "4.6.0.1";
    facts.snapshot = SnapshotConfirmation{"before 4.7", "root", "4.6.0.1", now - hours(1), now + hours(23)};
    facts.now = now;
    facts.space = {{"/", 1, 1164 * mebibyte}, {"/boot", 2, 96 * mebibyte}, {"/var", 3, 64 * mebibyte}};
    return facts;
}
const MediaFacts good_media{"4.7.0.0", 550 * mebibyte};

std::string reasons_of(const Facts& facts, const MediaFacts& media = good_media, const Config& config = {}) {
    std::string text;
    for (const auto& finding : um::preflight(facts, media, config)) {
        EXPECT_EQ(finding.severity, Finding::Severity::refusal);
        EXPECT_FALSE(finding.message.empty());
        EXPECT_FALSE(finding.hint.empty());
        text += (text.empty() ? "" : " ") + std::string(word(finding.reason));
    }
    return text;
}

std::string message_of(const Facts& facts, const MediaFacts& media = good_media) {
    const auto findings = um::preflight(facts, media, {});
    return findings.size() == 1 ? findings[0].message : std::to_string(findings.size()) + " findings";
}

} // namespace

TEST(Preflight, LetsAGoodApplianceTakeGoodMedia) {
    EXPECT_EQ(reasons_of(good_facts()), "");
}

TEST(Preflight, RefusesWhatIsNotNewer) {
    auto facts = good_facts();
    EXPECT_EQ(reasons_of(facts, {"4.6.0.1", 1}), "version.not-newer");
    EXPECT_EQ(reasons_of(facts, {"4.5.9", 1}), "version.not-newer");
    EXPECT_EQ(message_of(facts, {"4.6.0.1~rc1", 1}), "the media hold 4.6.0.1~rc1, but 4.6.0.1 is installed");
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
              "the product's version cannot be told: package cloudusagemetering is not installed");
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
    for (const std::size_t lacking : {0U, 1U, 2U}) {
        auto facts = good_facts();
        facts.space[lacking].available -= 1;
        EXPECT_EQ(reasons_of(facts), "space.insufficient") << facts.space[lacking].path;
        EXPECT_EQ(message_of(facts).find(facts.space[lacking].path + ":"), 0U) << message_of(facts);
    }
}

TEST(Preflight, AddsUpWhatDirectoriesOfOneFileSystemNeed) {
    auto facts = good_facts();
    for (auto& space : facts.space)
        space = {space.path, 1, 1324 * mebibyte};
    EXPECT_EQ(reasons_of(facts), "");
    for (auto& space : facts.space)
        space.available -= 1;
    EXPECT_EQ(message_of(facts), "/, /boot, /var: 1.3 GiB are free, the upgrade needs 1.3 GiB");
}

TEST(Preflight, CountsSpaceOfLargeMediaWithoutOverflow) {
    auto facts = good_facts();
    EXPECT_EQ(reasons_of(facts, {"4.7.0.0", 5ULL * 1024 * mebibyte}), "space.insufficient");
}

TEST(Preflight, ListsEveryRefusalAtOnce) {
    Facts facts = good_facts();
    facts.installed_version = "4.2";
    facts.snapshot.reset();
    facts.space[0].available = 0;
    EXPECT_EQ(reasons_of(facts, {"4.1", 1}),
              "version.not-newer version.source-too-old snapshot.unconfirmed space.insufficient");
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
    EXPECT_EQ(message_of(facts), "dnf (process 7) is changing packages just now");
    facts.database = {{}, "rpm -qa ended with status 1: error"};
    EXPECT_EQ(reasons_of(facts), "packages.damaged");
}
