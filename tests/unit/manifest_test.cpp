#include "media/manifest.hpp"

#include "base/failure.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

const std::string iso = "Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.iso";
const std::string sha1(40, 'a');
const std::string sha256(64, 'b');
const std::string sha384(96, 'c');
const std::string sha512(128, 'd');

/// The reason and message with which parsing ends. Empty if it succeeds.
std::string refusal_of(const std::string& text) {
    try {
        parse_manifest(text);
        return "";
    } catch (const Failure& failure) {
        return std::string(word(failure.reason())) + ": " + failure.what();
    }
}

Digests digests_of(const std::string& text) {
    return digests_for(parse_manifest(text), iso);
}

Reason reason_of(const std::string& text) {
    try {
        digests_of(text);
    } catch (const Failure& failure) {
        return failure.reason();
    }
    ADD_FAILURE() << "was accepted: " << text;
    return Reason::busy;
}

} // namespace

TEST(Manifest, ReadsWhatCoreutilsWrite) {
    EXPECT_EQ(digests_of(sha1 + "  " + iso + "\n"), (Digests{{DigestAlgorithm::sha1, sha1}}));
    EXPECT_EQ(digests_of(sha256 + " *" + iso + "\n"), (Digests{{DigestAlgorithm::sha256, sha256}}));
    EXPECT_EQ(digests_of(sha384 + "  " + iso), (Digests{{DigestAlgorithm::sha384, sha384}}));
    EXPECT_EQ(digests_of(sha512 + "  " + iso), (Digests{{DigestAlgorithm::sha512, sha512}}));
}

TEST(Manifest, ReadsWhatOpensslAndBsdWrite) {
    EXPECT_EQ(digests_of("SHA1(" + iso + ")= " + sha1), (Digests{{DigestAlgorithm::sha1, sha1}}));
    EXPECT_EQ(digests_of("SHA256(" + iso + ")= " + sha256), (Digests{{DigestAlgorithm::sha256, sha256}}));
    EXPECT_EQ(digests_of("SHA256 (" + iso + ") = " + sha256), (Digests{{DigestAlgorithm::sha256, sha256}}));
    EXPECT_EQ(digests_of("SHA384 (" + iso + ") = " + sha384), (Digests{{DigestAlgorithm::sha384, sha384}}));
    EXPECT_EQ(digests_of("SHA512(" + iso + ")= " + sha512), (Digests{{DigestAlgorithm::sha512, sha512}}));
}

TEST(Manifest, PassesOverCommentsAndBlankLinesAndReadsCrlf) {
    const auto text = "# made by release engineering\r\n\r\n" + sha1 + "  " + iso + "\r\n\n#end";
    EXPECT_EQ(digests_of(text), (Digests{{DigestAlgorithm::sha1, sha1}}));
}

TEST(Manifest, LowersHexadecimalDigits) {
    EXPECT_EQ(digests_of(std::string(40, 'F') + "  " + iso),
              (Digests{{DigestAlgorithm::sha1, std::string(40, 'f')}}));
}

TEST(Manifest, TakesTheNameWithoutItsLeadingDot) {
    EXPECT_EQ(digests_of(sha1 + "  ./" + iso), (Digests{{DigestAlgorithm::sha1, sha1}}));
    EXPECT_EQ(digests_of("SHA1(./" + iso + ")= " + sha1), (Digests{{DigestAlgorithm::sha1, sha1}}));
}

TEST(Manifest, ReadsEscapedNames) {
    const auto entries =
        parse_manifest("\\" + sha1 + "  a\\\\b\\nc\n" + "\\SHA256 (d\\re) = " + sha256 + "\n");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].name, "a\\b\nc");
    EXPECT_EQ(entries[1].name, "d\re");
}

TEST(Manifest, KeepsABackslashInAnUnescapedLine) {
    EXPECT_EQ(parse_manifest(sha1 + "  a\\nb").at(0).name, "a\\nb");
}

TEST(Manifest, TakesTheLastParenthesisForTheNamesEnd) {
    EXPECT_EQ(parse_manifest("SHA1(a)= b)= " + sha1).at(0).name, "a)= b");
}

TEST(Manifest, GathersTheIsosDigestsAmongOtherFiles) {
    const auto text = sha1 + "  other.ova\n" + sha1 + "  " + iso + "\n" + sha256 + "  " + iso + "\n";
    EXPECT_EQ(digests_of(text), (Digests{{DigestAlgorithm::sha1, sha1}, {DigestAlgorithm::sha256, sha256}}));
}

TEST(Manifest, RefusesAnIsoThatItDoesNotName) {
    for (const auto& text :
         {std::string(), std::string("# nothing\n"), sha1 + "  other.iso", sha1 + "  " + iso + ".txt",
          sha1 + "  sub/" + iso, sha1 + "  " + iso + " ", sha1 + "   " + iso, sha1 + "  ../" + iso})
        EXPECT_EQ(reason_of(text), Reason::manifest_no_entry) << text;
}

TEST(Manifest, RefusesAnIsoThatItNamesTwice) {
    const auto line = sha1 + "  " + iso + "\n";
    EXPECT_EQ(reason_of(line + line), Reason::manifest_duplicate); // even if both agree
    EXPECT_EQ(reason_of(line + std::string(40, '0') + " *./" + iso), Reason::manifest_duplicate);
    EXPECT_EQ(reason_of(line + "SHA1(" + iso + ")= " + sha1), Reason::manifest_duplicate);
}

TEST(Manifest, RefusesEveryLineThatItDoesNotUnderstand) {
    const std::string bad[] = {
        "garbage",
        "<html><body>404 Not Found</body></html>",
        sha1,
        sha1 + " " + iso,                   // one blank
        sha1 + "\t" + iso,                  // a tab
        sha1 + "  ",                        // no name
        sha1 + "  ./",                      // no name either
        sha1 + "b  " + iso,                 // 41 digits
        sha1.substr(1) + "  " + iso,        // 39 digits
        std::string(32, 'a') + "  " + iso,  // MD5
        std::string(56, 'a') + "  " + iso,  // SHA-224
        sha1.substr(1) + "g  " + iso,       // not a hexadecimal digit
        " " + sha1 + "  " + iso,            // indented
        "\xEF\xBB\xBF" + sha1 + "  " + iso, // a byte order mark
        "SHA1(" + iso + ")=" + sha1,        // no blank
        "SHA1(" + iso + ") " + sha1,        // no sign
        "SHA1(" + iso + ")= " + sha256,     // a digest of another length
        "SHA1(" + iso + ")= " + sha1 + " ", // something after it
        "SHA1()= " + sha1,                  // no name
        "SHA1(" + iso + "= " + sha1,        // not closed
        "sha1(" + iso + ")= " + sha1,       // lower case
        "MD5(" + iso + ")= " + std::string(32, 'a'),
        "SHA3-256(" + iso + ")= " + sha256,
        "\\" + sha1 + "  a\\",                     // an escape without an end
        "\\" + sha1 + "  a\\tb",                   // an unknown escape
        sha1 + "  a" + std::string(1, '\0') + "b", // a NUL byte
        sha1 + "  " + std::string(1, '\0'),
    };
    for (const auto& line : bad)
        EXPECT_EQ(
            refusal_of("# comment\n" + line + "\n"),
            "manifest.malformed: line 2 of the manifest is neither a SHA-1 nor a SHA-2 digest of a file")
            << line;
}

TEST(Manifest, RefusesGarbageBesideAGoodLine) {
    EXPECT_EQ(reason_of(sha1 + "  " + iso + "\n-----BEGIN-----\n"), Reason::manifest_malformed);
    EXPECT_EQ(reason_of("x\n" + sha1 + "  " + iso), Reason::manifest_malformed);
}

TEST(Manifest, NamesAlgorithmsAsPeopleDo) {
    EXPECT_EQ(name(DigestAlgorithm::sha1), "SHA-1");
    EXPECT_EQ(name(DigestAlgorithm::sha256), "SHA-256");
    EXPECT_EQ(name(DigestAlgorithm::sha384), "SHA-384");
    EXPECT_EQ(name(DigestAlgorithm::sha512), "SHA-512");
}
