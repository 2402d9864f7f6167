#include "base/ini.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

std::string shown(const std::vector<IniEntry>& entries) {
    std::string text;
    for (const auto& entry : entries)
        text += "[" + entry.section + "] " + entry.name + "=" + entry.value + "@" +
                std::to_string(entry.line) + "\n";
    return text;
}

/// "line: message" of the error with which parsing ends.
std::string error_of(const std::string& text) {
    try {
        return "accepted: " + shown(parse_ini(text));
    } catch (const IniError& error) {
        return std::to_string(error.line()) + ": " + error.what();
    }
}

} // namespace

TEST(Ini, GivesEachEntryItsSectionAndLine) {
    EXPECT_EQ(shown(parse_ini("# comment\n[a]\none = 1\n\n; comment\n[b.c]\ntwo=2 and 3\nempty =\n")),
              "[a] one=1@3\n[b.c] two=2 and 3@7\n[b.c] empty=@8\n");
}

TEST(Ini, TakesATextWithoutItsLastLineFeed) {
    EXPECT_EQ(shown(parse_ini("[a]\nkey = value")), "[a] key=value@2\n");
}

TEST(Ini, EndsAValueAtAComment) {
    EXPECT_EQ(shown(parse_ini("[a]\nkey = value ; comment\nother = a;b\n")),
              "[a] key=value@2\n[a] other=a;b@3\n");
}

TEST(Ini, ReadsCrlf) {
    EXPECT_EQ(shown(parse_ini("[a]\r\nkey = value\r\n")), "[a] key=value@2\n");
}

TEST(Ini, JoinsIndentedLinesByASpace) {
    EXPECT_EQ(shown(parse_ini("[a]\nkey = one\n  two\n\tthree\nnext = 4\n")),
              "[a] key=one two three@2\n[a] next=4@5\n");
}

TEST(Ini, JoinsIndentedLinesTightlyWhereARecordWantsThat) {
    EXPECT_EQ(shown(parse_ini("[a]\nkey = one\n  two = 2\n", Continuation::joined_tightly)),
              "[a] key=onetwo = 2@2\n");
}

TEST(Ini, RefusesAnIndentedKey) {
    const std::string why = "an indented line continues the value above; a key begins in the first column";
    EXPECT_EQ(error_of("[a]\nkey = 1\n  other = 2\n"), "3: " + why);
    EXPECT_EQ(error_of("[a]\n  key = 1\n"), "2: " + why);
}

TEST(Ini, RefusesWhatIsNoEntry) {
    const std::string why = ": neither '[section]' nor 'key = value' nor a comment";
    EXPECT_EQ(error_of("[a]\nkey = 1\nword\n"), "3" + why);
    EXPECT_EQ(error_of("[a\nkey = 1\n"), "1: the section's name does not end, or is longer than 49 bytes");
    EXPECT_EQ(error_of("[" + std::string(50, 'a') + "]\n"),
              "1: the section's name does not end, or is longer than 49 bytes");
    EXPECT_EQ(parse_ini("[" + std::string(49, 'a') + "]\nkey = 1\n").at(0).section, std::string(49, 'a'));
}

TEST(Ini, RefusesAKeyBesideTheSectionsName) {
    const std::string why = ": nothing but a comment may follow the section's name; a key begins a new line";
    EXPECT_EQ(error_of("\n[a] key = 1\n"), "2" + why);
    EXPECT_EQ(error_of("[a]]\n"), "1" + why);
    EXPECT_EQ(shown(parse_ini("[a]  # comment\nkey = 1\n[b];comment\r\nkey = 2\n")),
              "[a] key=1@2\n[b] key=2@4\n");
}

TEST(Ini, RefusesALineThatInihWouldCutWithoutAWord) {
    EXPECT_EQ(shown(parse_ini("[a]\nk = " + std::string(194, 'x') + "\n")),
              "[a] k=" + std::string(194, 'x') + "@2\n");
    EXPECT_EQ(error_of("[a]\nk = " + std::string(195, 'x') + "\n"),
              "2: the line is longer than 198 bytes; continue the value on further lines that begin with "
              "a space");
}

TEST(Ini, RefusesANulByte) {
    EXPECT_EQ(error_of(std::string("[a]\nkey = 1\0\n", 13)), "2: the line holds a NUL byte");
}

TEST(Ini, LeavesDuplicatesToTheReader) {
    EXPECT_EQ(shown(parse_ini("[a]\nk = 1\nk = 2\n")), "[a] k=1@2\n[a] k=2@3\n");
}
