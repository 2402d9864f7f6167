#include "checks/host_name.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

std::string verdict(const std::vector<std::string>& common_names,
                    const std::vector<std::string>& alternatives,
                    const std::string& full_name = "um.example.test",
                    const std::string& version = "4.7.0.0") {
    const auto findings = judge_host_name({full_name.substr(0, full_name.find('.')), full_name,
                                           CertificateNames{common_names, alternatives}, ""},
                                          {}, version);
    return findings.empty() ? "" : findings.front().message;
}

} // namespace

TEST(HostName, IsComparedAsCertificatesMeanIt) {
    EXPECT_TRUE(names_host("um.example.test", "um.example.test"));
    EXPECT_TRUE(names_host("UM.Example.Test.", "um.example.test"));
    EXPECT_TRUE(names_host("*.example.test", "um.example.test"));
    EXPECT_FALSE(names_host("*.example.test", "a.um.example.test"));
    EXPECT_FALSE(names_host("*.example.test", "example.test"));
    EXPECT_FALSE(names_host("u*.example.test", "um.example.test"));
    EXPECT_FALSE(names_host("um.example.test.evil", "um.example.test"));
    EXPECT_FALSE(names_host("", ""));
    EXPECT_FALSE(names_host("*.", "um."));
}

TEST(HostName, MustBeBothTheCommonNameAndAnAlternative) {
    EXPECT_EQ(verdict({"um.example.test"}, {"other.test", "um.example.test"}), "");
    EXPECT_EQ(verdict({"um"}, {"um.example.test"}), ""); // the short name counts as well
    EXPECT_EQ(
        verdict({"old.example.test"}, {"um.example.test"}),
        "Detected wrong hostname. Expected hostname: old.example.test, but found: um.example.test. This will "
        "most probably result in issues after upgrade with the existing vCloud Usage Meter certificates");
    EXPECT_EQ(verdict({"um.example.test"}, {}), "the certificate's CN is the host name um.example.test, its "
                                                "subjectAltName is not (none); from 4.7 on "
                                                "both must be");
    EXPECT_NE(verdict({}, {"um.example.test"}).find("Expected hostname: none"), std::string::npos);
    EXPECT_EQ(verdict({"um.example.test"}, {}, "um.example.test", "4.6.0.1"),
              ""); // older versions require only the CN
    EXPECT_NE(verdict({"other.test"}, {}, "um.example.test", "4.6.0.1"), "");
}

TEST(HostName, NamesBothWaysOutOfAMismatch) {
    const auto findings = judge_host_name({"a", "a", CertificateNames{{"b"}, {"b"}}, ""}, {}, "4.7");
    ASSERT_EQ(findings.size(), 1U);
    for (const auto* way : {"self-signed", "certification authority", "Failed to process journal=>read"})
        EXPECT_NE(findings[0].hint.find(way), std::string::npos) << way;
}

TEST(HostName, ThatCannotBeComparedIsRefusedOrWarnedOf) {
    Config::Hostname config;
    const HostNameFacts unknown{"um", "um", std::nullopt, "connect to localhost:443: Connection refused"};
    EXPECT_TRUE(is_refusal(judge_host_name(unknown, config, "4.7").at(0)));
    EXPECT_EQ(judge_host_name(unknown, config, "4.7").at(0).reason, Reason::hostname_unknown);
    config.mismatch = Mismatch::warn;
    EXPECT_FALSE(is_refusal(judge_host_name(unknown, config, "4.7").at(0)));
}
