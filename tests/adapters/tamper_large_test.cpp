// The slow part of the tamper table: an ISO of more than 4 GiB. Even its last byte counts.

#include "adapters/tampering.hpp"

#include <gtest/gtest.h>

#include <filesystem>

using namespace um;
using namespace um::test;

TEST(LargeMedia, AreReadToTheirLastByte) {
    Media media;
    std::filesystem::resize_file(media.iso(), (4ULL << 30) + 4097); // sparse
    media.manifest(media.tagged("SHA1"));                           // by sha1sum
    const auto genuine = judged_by_agent(media);
    EXPECT_TRUE(genuine.accepted) << genuine.messages;
    EXPECT_EQ(genuine.refusals, std::vector<std::string>());

    flip(media.iso(), Where::end);
    const auto tampered = judged_by_agent(media);
    EXPECT_FALSE(tampered.mount_asked);
    EXPECT_TRUE(words_match("manifest.mismatch", tampered.refusals)) << tampered.messages;
    EXPECT_FALSE(judged_by_tools(media).accepted);
}
