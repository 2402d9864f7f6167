#include "base/version.hpp"

#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

using um::compare_versions;

namespace {

int sign(int order) {
    return order < 0 ? -1 : order > 0 ? 1 : 0;
}

struct Case {
    std::string left, right;
    int order;
};

const std::vector<Case> cases{
    {"4.7.0.0", "4.7.0.0", 0},
    {"4.6.0.1", "4.7.0.0", -1},
    {"4.10", "4.9", 1}, // numbers, not letters
    {"4.3", "4.3.0", -1},
    {"4.7", "4.7.0.0", -1},
    {"4.07", "4.7", 0},        // leading zeros do not count
    {"4.7.0.0", "4_7.0+0", 0}, // nor does the kind of separator
    {"4..7", "4.7", 0},
    {"4.7.", "4.7", 0},
    {"1.0a", "1.0b", -1},
    {"1.0a", "1.0", 1},
    {"1.0a", "1.0.1", -1}, // a number is newer than letters
    {"1a", "1A", 1},       // ASCII order
    {"alpha", "1", -1},
    {"2", "2x1", -1},
    {"1.0~rc1", "1.0", -1},
    {"1.0~rc1", "1.0~rc2", -1},
    {"1.0~~", "1.0~", -1},
    {"1.0^git1", "1.0", 1},
    {"1.0^git1", "1.0.1", -1},
    {"1.0^git1", "1.0^git2", -1},
    {"1.0^", "1.0~", 1},
    {"1.0~rc1^git1", "1.0~rc1", 1},
    {"18446744073709551616", "18446744073709551617", -1}, // longer than any integer
    {"99999999999999999999999999", "100000000000000000000000000", -1},
    {"4.7\xC3\xA9", "4.7", 0}, // rpm knows only ASCII, all else separates
};

/// Texts that rpm's command line does not accept as versions.
const std::vector<Case> beyond_rpm{
    {"", "", 0}, {"", "1", -1}, {"", "~", 1}, {"4.7-0", "4.7.0", 0}, {"4.7 ", "4.7", 0},
};

std::string shell_word(const std::string& text) {
    return "\"" + text + "\"";
}

/// How rpm orders each pair, from one run of it.
std::vector<int> rpm_orders() {
    std::string script = "local orders = [[]] for _, p in ipairs({";
    for (const auto& c : cases)
        script += "{" + shell_word(c.left) + "," + shell_word(c.right) + "},";
    script += "}) do orders = orders .. rpm.vercmp(p[1], p[2]) .. [[ ]] end print(orders)";
    const auto result = um::test::shell("rpm --eval '%{lua:" + script + "}'");
    std::istringstream words(result.output);
    std::vector<int> orders;
    for (int order = 0; words >> order;)
        orders.push_back(order);
    EXPECT_EQ(orders.size(), cases.size()) << result.output;
    orders.resize(cases.size(), 99);
    return orders;
}

} // namespace

TEST(Version, ComparesAsTheTableSays) {
    for (const auto* table : {&cases, &beyond_rpm})
        for (const auto& c : *table)
            EXPECT_EQ(sign(compare_versions(c.left, c.right)), c.order) << c.left << " and " << c.right;
}

TEST(Version, ComparesTheOtherWayRoundTheOtherWayRound) {
    for (const auto* table : {&cases, &beyond_rpm})
        for (const auto& c : *table)
            EXPECT_EQ(sign(compare_versions(c.right, c.left)), -c.order) << c.right << " and " << c.left;
}

TEST(Version, ComparesAsRpmDoes) {
    const auto orders = rpm_orders();
    for (std::size_t i = 0; i < cases.size(); ++i)
        EXPECT_EQ(sign(compare_versions(cases[i].left, cases[i].right)), sign(orders[i]))
            << cases[i].left << " and " << cases[i].right;
}
