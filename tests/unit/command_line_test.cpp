// How the program judges its arguments before it looks at anything else.

#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <sstream>

using namespace um::test;

namespace {

struct Case {
    std::string arguments;
    std::string message;
};

const Case cases[] = {
    {"", "a command is missing; see 'um-upgrade --help'"},
    {"upgrade", "there is no command 'upgrade'; see 'um-upgrade --help'"},
    {"--config /x status", "'--config' must come after the command; see 'um-upgrade status --help'"},
    {"status --fast", "The following argument was not expected: --fast; see 'um-upgrade status --help'"},
    {"check --media", "--media: 1 required PATH missing; see 'um-upgrade check --help'"},
    {"abandon", "--why is required; see 'um-upgrade abandon --help'"},
    {"abandon --why ''", "--why: the audit trail needs a text; see 'um-upgrade abandon --help'"},
    {"rollback --why ' '", "--why: the audit trail needs a text; see 'um-upgrade rollback --help'"},
    {"confirm-snapshot --name ''",
     "--name: the audit trail needs a text; see 'um-upgrade confirm-snapshot --help'"},
    {"confirm-snapshot --name x --valid-for 3w",
     "--valid-for: '3w' is wrong; right would be a time such as 30s, 10min, 24h or 7d, and ten years at "
     "most; see 'um-upgrade confirm-snapshot --help'"},
};

class WrongArguments : public testing::TestWithParam<Case> {};

} // namespace

TEST_P(WrongArguments, AreNamedWithTheWayOut) {
    const auto result = shell(UM_PROGRAM " " + GetParam().arguments);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.output, "um-upgrade: " + GetParam().message + "\n");
}

INSTANTIATE_TEST_SUITE_P(CommandLine, WrongArguments, testing::ValuesIn(cases));

TEST(CommandLine, FitsATerminal) {
    for (const std::string command : {"", "run", "check", "apply", "verify", "status", "history",
                                      "confirm-snapshot", "abandon", "rollback"}) {
        const auto result = shell(UM_PROGRAM " " + command + " --help");
        EXPECT_EQ(result.status, 0);
        std::istringstream lines(result.output);
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(line.size(), 80U) << line;
    }
}

TEST(CommandLine, TellsItsVersion) {
    EXPECT_EQ(shell(UM_PROGRAM " --version").output, "um-upgrade " UM_VERSION "\n");
}
