#include "base/path.hpp"
#include "media/media_name.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace um;

namespace {

constexpr auto product = "Usage_Meter_Agent";

} // namespace

TEST(MediaName, ReadsTheVendorsName) {
    const auto name = parse_media_name("Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.iso", product);
    ASSERT_TRUE(name);
    EXPECT_EQ(name->stem, "Usage_Meter_Agent-4.7.0.0-21234567_Upgrade");
    EXPECT_EQ(name->version, "4.7.0.0");
    EXPECT_EQ(name->build, "21234567");
    EXPECT_EQ(name->iso(), "Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.iso");
}

TEST(MediaName, IsTheSameForTheManifest) {
    const auto name = parse_media_name("Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.mf", product);
    ASSERT_TRUE(name);
    EXPECT_EQ(name->iso(), "Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.iso");
}

TEST(MediaName, KeepsSignsThatVersionsHave) {
    for (const std::string version : {"4.8~rc1", "4.8^git7", "4.8+1", "4.8_beta"}) {
        const auto name = parse_media_name("Usage_Meter_Agent-" + version + "-1_Upgrade.iso", product);
        ASSERT_TRUE(name) << version;
        EXPECT_EQ(name->version, version);
    }
}

TEST(MediaName, IsNothingElse) {
    for (const std::string text : {
             "",
             ".iso",
             "photon.iso",
             "Usage_Meter_Agent",
             "Usage_Meter_Agent.iso",
             "Usage_Meter_Agent-_Upgrade.iso",
             "Usage_Meter_Agent_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0.0_Upgrade.iso",
             "Usage_Meter_Agent--1_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0.0-_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0.0-1.iso",
             "Usage_Meter_Agent-4.7.0.0-1_Upgrade",
             "Usage_Meter_Agent-4.7.0.0-1_upgrade.iso",
             "usage_meter_agent-4.7.0.0-1_Upgrade.iso",
             "Usage_Meter_Agent2-4.7.0.0-1_Upgrade.iso",
             "X-Usage_Meter_Agent-4.7.0.0-1_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0-0-1_Upgrade.iso",
             "Usage_Meter_Agent-4.7 0-1_Upgrade.iso",
             "Usage_Meter_Agent-4.7\n0-1_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0-1;reboot_Upgrade.iso",
             "Usage_Meter_Agent-4.7.0-%n_Upgrade.iso",
         })
        EXPECT_FALSE(parse_media_name(text, product)) << text;
}

TEST(MediaName, BelongsToTheConfiguredProduct) {
    EXPECT_TRUE(parse_media_name("Other-1.0-2_Upgrade.iso", "Other"));
    EXPECT_FALSE(parse_media_name("Usage_Meter_Agent-1.0-2_Upgrade.iso", "Other"));
}

TEST(MediaPath, IsDirectoryAndName) {
    EXPECT_EQ(base_name("/a/b/c.iso"), "c.iso");
    EXPECT_EQ(base_name("c.iso"), "c.iso");
    EXPECT_EQ(directory_of("/a/b/c.iso"), "/a/b/");
    EXPECT_EQ(directory_of("/c.iso"), "/");
    EXPECT_EQ(directory_of("c.iso"), "./");
}
