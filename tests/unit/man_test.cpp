// Compares the manual pages with the code, both ways.

#include "base/failure.hpp"
#include "base/ini.hpp"
#include "base/vocabulary.hpp"
#include "config/config.hpp"
#include "support/scratch.hpp"

#include <filesystem>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

using namespace um;
using testing::HasSubstr;
using testing::Not;

namespace {

using Words = std::set<std::string>;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

/// The source of a page without scdoc's escapes, so with the words that a reader sees.
std::vector<std::string> page(const std::string& name) {
    auto text = test::text_of(UM_SOURCE "/agent/man/" + name + ".scd");
    text.erase(std::remove(text.begin(), text.end(), '\\'), text.end());
    return lines_of(text);
}

std::vector<std::string> section(const std::string& name, const std::string& heading) {
    const auto lines = page(name);
    const auto begin = std::find(lines.begin(), lines.end(), "# " + heading);
    const auto is_heading = [](const std::string& line) { return line.rfind("# ", 0) == 0; };
    EXPECT_NE(begin, lines.end()) << name << " has no section " << heading;
    return begin == lines.end() ? lines
                                : std::vector(begin, std::find_if(begin + 1, lines.end(), is_heading));
}

/// What `pattern` captures, from every place where it matches.
Words found(const std::vector<std::string>& lines, const std::string& pattern) {
    Words words;
    const std::regex expression(pattern);
    for (const auto& line : lines)
        for (std::sregex_iterator match(line.begin(), line.end(), expression), end; match != end; ++match)
            words.insert(match->str(1));
    return words;
}

/// The terms that a section explains. They are bold, at the beginning of a line or after another term.
Words terms(const std::vector<std::string>& lines) {
    std::vector<std::string> heads;
    std::copy_if(lines.begin(), lines.end(), std::back_inserter(heads),
                 [](const std::string& line) { return line.rfind('*', 0) == 0; });
    return found(heads, R"(\*([^*]+)\*)");
}

std::vector<std::string> output_of(const std::string& command) {
    const auto result = test::shell(command);
    EXPECT_EQ(result.status, 0) << command << ": " << result.output;
    return lines_of(result.output);
}

Words commands() {
    const auto help = output_of(UM_PROGRAM " --help");
    return found({std::find(help.begin(), help.end(), "Subcommands:"), help.end()}, R"(^  ([a-z-]+)  )");
}

Words options_of(const std::string& command) {
    return found(output_of(UM_PROGRAM " " + command + " --help"), R"(^  .*(--[a-z-]+)\b)");
}

/// What bash offers after `um-upgrade LINE`.
Words completions(const std::string& line) {
    const auto offered = output_of(
        "bash -c '. " UM_SOURCE "/etc/um-upgrade.bash-completion; COMP_WORDS=(um-upgrade " + line +
        R"( ""); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _um_upgrade; printf "%s\n" "${COMPREPLY[@]}"')");
    return {offered.begin(), offered.end()};
}

template <class Enum>
Words all_words(std::size_t count) {
    Words words;
    for (std::size_t i = 0; i < count; ++i)
        words.emplace(word(static_cast<Enum>(i)));
    return words;
}

/// How the code spells a reason. media.sidecar-missing is Reason::media_sidecar_missing.
std::string identifier(std::string reason) {
    for (auto& c : reason)
        if (c == '.' || c == '-')
            c = '_';
    return "Reason::" + reason;
}

/// The reasons in the page's section, each with the number in the heading above it.
std::map<std::string, int> reasons_of_page() {
    std::map<std::string, int> reasons;
    int code = 0;
    for (const auto& line : section("um-upgrade.8", "REASONS")) {
        if (line.rfind("## ", 0) == 0)
            code = std::stoi(line.substr(line.find_first_of("0123456789")));
        for (const auto& reason : found({line}, R"(^\*([a-z.-]+)\*$)"))
            EXPECT_TRUE(reasons.emplace(reason, code).second) << reason << " stands twice";
    }
    return reasons;
}

} // namespace

TEST(ManPage, OfTheConfigurationNamesEveryKeyWithItsDefault) {
    // The tests of the configuration check that the shipped file has every key and its default.
    std::map<std::string, std::string> shipped;
    for (const auto& entry : parse_ini(test::text_of(UM_SOURCE "/etc/um-upgrade.conf")))
        shipped[entry.section + "." + entry.name] = entry.value;
    std::map<std::string, std::string> named;
    std::string heading;
    const std::regex key(R"(\*([a-z0-9_]+)\* = ?(.*))");
    for (const auto& line : section("um-upgrade.conf.5", "KEYS")) {
        std::smatch match;
        if (line.rfind("## [", 0) == 0)
            heading = line.substr(4, line.find(']') - 4);
        if (std::regex_match(line, match, key))
            named[heading + "." + match.str(1)] = match.str(2);
    }
    EXPECT_EQ(named, shipped);
    EXPECT_GT(named.size(), 20U);
}

TEST(ManPage, OfTheConfigurationNamesTheKeysOfAPrompt) {
    const auto lines = section("um-upgrade.conf.5", "KEYS");
    const auto begin = std::find(lines.begin(), lines.end(), "## [prompt.X]");
    const auto end = std::find(begin, lines.end(), "## [reboot]");
    try {
        Config config;
        merge_config(config, "[prompt.X]\nno_such_key = 1\n", "a file");
        FAIL() << "a key that cannot be known is accepted";
    } catch (const ConfigError& error) {
        const std::string message = error.what();
        const auto known = found({message.substr(message.rfind(": "))}, "([a-z_]+)");
        EXPECT_EQ(terms({begin, end}), known);
        EXPECT_EQ(known.size(), 2U) << message;
    }
}

TEST(ManPage, ExplainsEveryCommand) {
    EXPECT_EQ(terms(section("um-upgrade.8", "COMMANDS")), commands());
    EXPECT_GT(commands().size(), 5U);
}

TEST(ManPage, ExplainsEveryOption) {
    auto options = options_of("");
    for (const auto& command : commands())
        options.merge(options_of(command));
    EXPECT_EQ(terms(section("um-upgrade.8", "OPTIONS")), options);
    EXPECT_GT(options.size(), 5U);
}

TEST(Completion, OffersEveryCommandThatIsForPeople) {
    auto words = commands();
    for (const auto* units_alone : {"apply", "verify"})
        words.erase(units_alone);
    words.merge(Words{"--help", "--version"});
    EXPECT_EQ(completions(""), words);
}

TEST(Completion, OffersEveryOptionOfACommand) {
    for (const auto& command : completions("")) {
        if (command.rfind("--", 0) == 0)
            continue;
        const auto offered = completions(command);
        EXPECT_EQ(found({offered.begin(), offered.end()}, "^(--.*)$"), options_of(command)) << command;
    }
}

TEST(Completion, OffersNothingWhereAValueIsDue) {
    EXPECT_EQ(completions("abandon --why"), Words{""});
}

TEST(ManPage, ExplainsEveryExitStatus) {
    Words codes;
    for (int code = 0; code <= static_cast<int>(ExitCode::needs_manual); ++code)
        codes.insert(std::to_string(code));
    EXPECT_EQ(terms(section("um-upgrade.8", "EXIT STATUS")), codes);
}

TEST(ManPage, ExplainsEveryReasonUnderItsExitStatus) {
    Words named;
    for (const auto& [reason, code] : reasons_of_page()) {
        named.insert(reason);
        if (const auto known = reason_from(reason)) {
            EXPECT_EQ(code, static_cast<int>(exit_code(*known))) << reason;
        }
    }
    EXPECT_EQ(named, all_words<Reason>(reasons));
}

TEST(ManPage, NamesNoReasonThatNothingGives) {
    for (const auto& [reason, code] : reasons_of_page()) {
        const auto search = "grep -rqw --include='*.cpp' --exclude=vocabulary.cpp '" + identifier(reason) +
                            "' " UM_SOURCE "/agent";
        EXPECT_EQ(test::shell(search).status, 0) << reason;
    }
}

TEST(ManPage, KnowsTheStagesOutcomesAndEvents) {
    constexpr auto stages = static_cast<std::size_t>(Stage::verify) + 1;
    constexpr auto outcomes = static_cast<std::size_t>(Outcome::nothing_to_do) + 1;
    EXPECT_EQ(terms(section("um-upgrade.8", "DESCRIPTION")), [&] {
        auto words = all_words<Stage>(stages);
        words.insert("um-upgrade");
        return words;
    }());
    EXPECT_EQ(terms(section("um-upgrade.8", "OUTCOMES")), all_words<Outcome>(outcomes));
    const auto journal = found(section("um-upgrade.8", "JOURNAL"), R"(\*([a-z-]+)\*)");
    for (const auto& event : all_words<EventKind>(event_kinds))
        EXPECT_EQ(journal.count(event), 1U) << event;
}

TEST(ManPage, KnowsTheFieldsOfTheJournal) {
    EXPECT_EQ(found(section("um-upgrade.8", "JOURNAL"), R"(\*(UM_[A-Z0-9_]+)\*)"),
              found(lines_of(test::text_of(UM_SOURCE "/agent/upgrade/audit.cpp")), R"("(UM_[A-Z0-9_]+)\")"));
}

TEST(ManPage, OfTheMediaExplainsEveryOptionOfTheToolThatMakesThem) {
    const auto options =
        found(output_of(UM_SOURCE "/rpm/media/make-upgrade-media --help"), R"(^  (--[a-z-]+))");
    EXPECT_EQ(found(section("um-upgrade-media.7", "MAKING MEDIA"), R"(^\*(--[a-z-]+)\*)"), options);
    EXPECT_GT(options.size(), 5U);
}

TEST(Readme, NamesATestForEveryReason) {
    const auto readme = test::text_of(UM_SOURCE "/tests/README.md");
    for (std::size_t i = 0; i < reasons; ++i) {
        const std::string reason(word(static_cast<Reason>(i)));
        std::smatch row;
        const std::regex pattern("\n\\| `" + std::regex_replace(reason, std::regex("\\."), "\\.") +
                                 "` \\| `([a-z_/.]+)` \\|");
        ASSERT_TRUE(std::regex_search(readme, row, pattern)) << reason;
        auto name = reason;
        std::replace_if(
            name.begin(), name.end(), [](char c) { return c == '.' || c == '-'; }, '_');
        const auto file = test::text_of(UM_SOURCE "/tests/" + row[1].str());
        EXPECT_TRUE(file.find(reason) != std::string::npos ||
                    file.find("Reason::" + name) != std::string::npos)
            << row[1] << " does not speak of " << reason;
    }
}

TEST(ManPage, IsThereForEveryUnit) {
    for (const auto& unit : test::names_in(UM_SOURCE "/units")) {
        const auto kind = std::filesystem::path(unit).extension();
        if (kind != ".service" && kind != ".timer")
            continue;
        EXPECT_THAT(test::text_of(UM_SOURCE "/units/" + unit),
                    HasSubstr("Documentation=man:" + unit + "(8) "));
        const auto pages = test::names_in(UM_SOURCE "/agent/man");
        EXPECT_EQ(std::count_if(pages.begin(), pages.end(),
                                [&](const std::string& name) { return name.rfind(unit + ".8", 0) == 0; }),
                  1)
            << unit;
        EXPECT_EQ(terms(section("um-upgrade.8", "UNITS")).count(unit), 1U) << unit;
    }
}
