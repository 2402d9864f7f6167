// The tamper table: media spoiled in every known way, and genuine media in every form. The agent judges each
// case, and so do the tools of the procedure by hand.

#include "adapters/tampering.hpp"

#include "base/failure.hpp"
#include "base/vocabulary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

using namespace um;
using namespace um::test;

namespace {

std::vector<TamperCase> whole_table() {
    std::vector<TamperCase> table;
    for (const auto part : {content_cases, file_cases, certificate_cases, signature_cases, manifest_cases})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

const std::vector<TamperCase>& table() {
    static const auto cases = whole_table();
    return cases;
}

/// "The ISO is empty" -> "TheISOIsEmpty"
std::string identifier(const std::string& sentence) {
    std::string text;
    bool capital = true;
    for (const char c : sentence) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
        if (plain)
            text += static_cast<char>(capital ? std::toupper(static_cast<unsigned char>(c)) : c);
        capital = !plain && c != '\'';
    }
    return text;
}

class Tampered : public testing::TestWithParam<TamperCase> {};

} // namespace

TEST_P(Tampered, IsJudgedAsExpected) {
    const auto& expected = GetParam();
    Media media;
    expected.spoil(media);
    ToolsJudgement tools;
    if (expected.tools.verdict != Tools::Verdict::none)
        tools = judged_by_tools(media);
    const auto agent = judged_by_agent(media);

    EXPECT_EQ(agent.accepted, expected.accepted()) << agent.messages;
    EXPECT_EQ(agent.mount_asked, expected.accepted() || media.at_mount)
        << "what is not genuine must not be mounted";
    EXPECT_TRUE(words_match(expected.reasons, agent.refusals)) << "expected: " << expected.reasons << "\n"
                                                               << agent.messages;
    if (expected.accepted()) {
        EXPECT_TRUE(words_match(expected.warnings, agent.warnings))
            << "expected: " << expected.warnings << "\n"
            << agent.messages;
    }
    EXPECT_EQ(agent.failure, "");
    EXPECT_FALSE(agent.left_mounted);
    EXPECT_EQ(agent.descriptors_left, 0);

    switch (expected.tools.verdict) {
    case Tools::Verdict::alike:
        EXPECT_EQ(tools.accepted, expected.accepted()) << tools.output;
        break;
    case Tools::Verdict::accept:
        EXPECT_TRUE(tools.accepted) << "no exception any more: " << expected.tools.why << "\n"
                                    << tools.output;
        break;
    case Tools::Verdict::refuse:
        EXPECT_FALSE(tools.accepted) << "no exception any more: " << expected.tools.why << "\n"
                                     << tools.output;
        break;
    case Tools::Verdict::none:
        break;
    }
}

INSTANTIATE_TEST_SUITE_P(Media, Tampered, testing::ValuesIn(table()),
                         [](const auto& tested) { return identifier(tested.param.name); });

TEST(TamperTable, HoldsAtLeastEightyCasesThatAreRefused) {
    const auto refused = std::count_if(table().begin(), table().end(),
                                       [](const TamperCase& tampered) { return !tampered.accepted(); });
    EXPECT_GE(refused, 80);
    EXPECT_GE(static_cast<long>(table().size()) - refused, 20)
        << "a table that refuses everything proves nothing";
}

TEST(TamperTable, ExpectsEveryReasonThatMediaAreRefusedFor) {
    std::string expected;
    for (const auto& tampered : table())
        expected += " " + tampered.reasons + " ";
    for (std::size_t at = 0; at < reasons; ++at) {
        const auto reason = static_cast<Reason>(at);
        const auto code = exit_code(reason);
        if ((code != ExitCode::media && code != ExitCode::not_authentic) ||
            reason == Reason::media_filesystem || reason == Reason::media_content) // known after the mount
            continue;
        EXPECT_NE(expected.find(" " + std::string(word(reason)) + " "), std::string::npos) << word(reason);
    }
}

TEST(TamperTable, SaysWhyTheToolsDiffer) {
    std::set<std::string> names;
    for (const auto& tampered : table()) {
        EXPECT_EQ(tampered.tools.verdict == Tools::Verdict::alike, tampered.tools.why.empty())
            << tampered.name;
        EXPECT_TRUE(names.insert(tampered.name).second) << tampered.name;
        EXPECT_FALSE(tampered.tools.verdict == Tools::Verdict::accept && tampered.accepted())
            << tampered.name;
        EXPECT_FALSE(tampered.tools.verdict == Tools::Verdict::refuse && !tampered.accepted())
            << tampered.name;
    }
}
