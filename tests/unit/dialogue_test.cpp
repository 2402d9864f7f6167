#include "change/dialogue.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

/// "prompt: text" of the answer to what was printed last. "-" if there is none.
std::string answer_to(const std::string& output, const std::vector<PromptRule>& rules = {}) {
    Dialogue dialogue(rules);
    dialogue.feed(output);
    const auto answer = dialogue.answer();
    return answer ? answer->prompt + ": " + answer->text : "-";
}

bool looks_like_a_question(const std::string& output) {
    Dialogue dialogue({});
    dialogue.feed(output);
    return dialogue.open_question().has_value();
}

const std::string snapshot_question =
    "Is a snapshot of the vCloud Usage Meter appliance virtual machine created "
    "in the running vCenter Server environment? (y/n): ";

} // namespace

TEST(Prompts, AnswersYesToTheSnapshotAndNoToTheReboot) {
    for (const std::string question : {
             snapshot_question.c_str(),
             "Have you taken a snapshot? (y/n)",
             "SNAPSHOT TAKEN (Y/N)?",
             "snapshot(y/n):",
             "Snapshot exists ( y / n ) : ",
             "実行中の vCenter Server 環境に仮想マシンのスナップショットが作成されていますか? (y/n):",
         })
        EXPECT_EQ(answer_to(question), "snapshot: y") << question;
    for (const std::string question : {
             "Reboot is recommended after an upgrade. Reboot now? (y/n)",
             "Reboot now(y/n)?",
             "Do you want to restart the appliance (y/n)? ",
             "アップグレード後に再起動することをお勧めします。今すぐ再起動しますか? (y/n)",
         })
        EXPECT_EQ(answer_to(question), "reboot: n") << question;
}

TEST(Prompts, AnswersNothingThatIsNoQuestion) {
    for (const std::string line : {
             "",
             "Taking a snapshot of the package list ...",
             "The system will reboot later",
             "reboot (y/n)? no, later",
             "Continue? (y/n)",
             "snapshot? [y/N]",
         })
        EXPECT_EQ(answer_to(line), "-") << line;
    EXPECT_EQ(answer_to(snapshot_question + "\n"), "-"); // the line has ended
}

TEST(Prompts, AnswersAQuestionOnce) {
    Dialogue dialogue({});
    dialogue.feed(snapshot_question);
    EXPECT_TRUE(dialogue.answer());
    EXPECT_FALSE(dialogue.answer());
    dialogue.feed(snapshot_question);
    EXPECT_TRUE(dialogue.answer()); // the question came again
}

TEST(Prompts, QuotesTheQuestionAsItWasAsked) {
    Dialogue dialogue({});
    dialogue.feed("\x1b[1;33m" + snapshot_question + "\x1b[0m");
    EXPECT_EQ(dialogue.answer()->question, snapshot_question.substr(0, snapshot_question.size() - 1));
}

TEST(Prompts, UnderstandsAQuestionCutAnywhere) {
    const std::string text = "\x1b[1mスナップショットが作成されていますか? (y/n): \x1b[0m";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Dialogue dialogue({});
        dialogue.feed("Preparing\n" + text.substr(0, cut));
        dialogue.feed(text.substr(cut));
        const auto answer = dialogue.answer();
        ASSERT_TRUE(answer) << cut;
        EXPECT_EQ(answer->text, "y");
    }
}

TEST(Prompts, UnderstandsAQuestionByteByByte) {
    Dialogue dialogue({});
    for (const char c : "Reboot now(y/n)? " + std::string())
        dialogue.feed(std::string(1, c));
    EXPECT_TRUE(dialogue.answer());
}

TEST(Prompts, GivesTheLinesThatOutputCompletes) {
    Dialogue dialogue({});
    EXPECT_EQ(dialogue.feed("one\r\ntw"), (std::vector<std::string>{"one"}));
    EXPECT_EQ(dialogue.feed("o\n\nthree\n"), (std::vector<std::string>{"two", "", "three"}));
    EXPECT_EQ(dialogue.feed("rest"), std::vector<std::string>{});
    EXPECT_EQ(dialogue.take_rest(), "rest");
    EXPECT_EQ(dialogue.take_rest(), "");
}

TEST(Prompts, CleansLines) {
    const std::pair<std::string, std::string> cases[] = {
        {"plain", "plain"},
        {"\x1b[1;31mred\x1b[0m", "red"},
        {"\x1b]0;title\atext", "text"},
        {"\x1b(Btext", "text"},
        {"text \x1b(B\x1b[m", "text"},
        {"cut \x1b(", "cut"},
        {"10%\r 50%\r100%", "100%"}, // a progress bar
        {"done\r", "done"},
        {"100%\r\r", "100%"},
        {"ab\bc", "ac"},
        {"\b\bx", "x"},
        {"bell\a", "bell"},
        {"tab\tstays", "tab\tstays"},
        {"trailing  ", "trailing"},
        {"cut \x1b", "cut"},
        {"cut \x1b[3", "cut"},
        {"日本語 é 😀", "日本語 é 😀"},
        {"cut \xe3\x82", "cut \uFFFD\uFFFD"},
        {"\xff\xfe is no text", "\uFFFD\uFFFD is no text"},
        {"\xc0\xaf, \xe0\x80\xaf, \xed\xa0\x80", "\uFFFD\uFFFD, \uFFFD\uFFFD\uFFFD, \uFFFD\uFFFD\uFFFD"},
        {"\xf5\x80\x80\x80!", "\uFFFD\uFFFD\uFFFD\uFFFD!"},
    };
    for (const auto& [raw, clean] : cases)
        EXPECT_EQ(clean_line(raw), clean);
}

TEST(Prompts, AnswersAQuestionBehindAProgressBar) {
    EXPECT_EQ(answer_to("10%\r100%\rReboot now? (y/n) "), "reboot: n");
}

TEST(Prompts, PrefersTheOperatorsRules) {
    EXPECT_EQ(answer_to("Reboot now? (y/n)", {{"mine", "reboot now", "later"}}), "mine: later");
    EXPECT_EQ(answer_to("Accept the LICENSE", {{"a", "^nothing$", "1"}, {"b", "accept.*license$", "2"}}),
              "b: 2");
    EXPECT_EQ(answer_to("Reboot now? (y/n)", {{"mine", "licen[cs]e", "later"}}), "reboot: n");
}

TEST(Prompts, KnowsAQuestionThatItCannotAnswer) {
    for (const std::string line :
         {"Continue? (y/n)", "Continue [Y/n] ", "Are you sure?", "(yes/no)", "Sure?: "})
        EXPECT_TRUE(looks_like_a_question(line)) << line;
    for (const std::string line : {"Password: ", "Enter a name:", "> ", // these may be progress
                                   "", "Installing", "Installing ...", "50 %", "Continue?\n", "   "})
        EXPECT_FALSE(looks_like_a_question(line)) << line;
}

TEST(Prompts, KeepsALineWithoutEndFromGrowing) {
    Dialogue dialogue({});
    std::size_t lines = 0;
    for (int i = 0; i < 10; ++i)
        lines += dialogue.feed(std::string(50'000, 'x')).size();
    EXPECT_EQ(lines, 7U);            // pieces of 64 KiB
    EXPECT_FALSE(dialogue.answer()); // such a line is not a question
    EXPECT_FALSE(dialogue.open_question());
}

TEST(Prompts, AnswersAQuestionThatEndsItsLineOnlyWhenAskedTo) {
    Dialogue dialogue({});
    dialogue.feed("Reboot now? (y/n)\n");
    EXPECT_FALSE(dialogue.answer());
    const auto answer = dialogue.answer_to_last_line();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->text, "n");
    EXPECT_FALSE(dialogue.answer_to_last_line()); // only once

    dialogue.feed("Reboot now? (y/n)\nInstalling\n");
    EXPECT_FALSE(dialogue.answer_to_last_line()); // something followed it
    dialogue.feed("Reboot now? (y/n)\nInstalling");
    EXPECT_FALSE(dialogue.answer_to_last_line());
}

TEST(Prompts, KnowWhetherMoreThanTheAnswerCameAfterIt) {
    Dialogue dialogue({});
    dialogue.feed("Reboot now? (y/n) ");
    ASSERT_TRUE(dialogue.answer());
    EXPECT_TRUE(dialogue.ends_with("n"));
    dialogue.feed("n");
    EXPECT_TRUE(dialogue.ends_with("n"));
    dialogue.feed("\r<ong question n"); // readline scrolls like this
    EXPECT_TRUE(dialogue.ends_with("n"));
    dialogue.feed("\n");
    EXPECT_FALSE(dialogue.ends_with("n"));
    dialogue.feed("Reboot now? (y/n) ");
    EXPECT_FALSE(dialogue.ends_with("n"));
}

TEST(Prompts, DoesNotGuessAtOtherQuestionsAboutSnapshots) {
    for (const std::string line :
         {"Continue without a snapshot? (y/n)", "Revert to the latest snapshot? (y/n)",
          "Delete the snapshot now? (y/n): ", "スナップショットに戻しますか? (y/n):"})
        EXPECT_EQ(answer_to(line), "-") << line;
}

TEST(Prompts, GoesOnFromAWarningOfTheHostName) {
    const std::string warning = "Detected wrong hostname. Expected hostname: a, but found: b.\n";
    for (const std::string question :
         {"Continue with this hostname? (y/n) ",
          "ホスト名が異なります。続行しますか? (y/n):", "The host name differs. Go on anyway(Y/N)?"})
        EXPECT_EQ(answer_to(question), "hostname: y") << question;
    EXPECT_EQ(answer_to(warning + "Do you want to continue? (y/n): "), "hostname: y");
    EXPECT_EQ(answer_to(warning + "See the guide.\n続行しますか？（y/n）"), "hostname: y");
    EXPECT_EQ(answer_to("Continue? (y/n)"), "-"); // with the host name, or with something else?
    EXPECT_EQ(answer_to("Is the hostname right? (y/n)"), "-");
    EXPECT_EQ(answer_to("Change the hostname and continue? (y/n)"), "-");
    EXPECT_EQ(answer_to(warning + "Change the hostname now? (y/n)"), "-");
    EXPECT_EQ(answer_to(warning + "Delete all data? (y/n)"), "-");
    EXPECT_EQ(answer_to(warning + "1\n2\n3\n4\n5\n6\n7\n8\nContinue? (y/n)"), "-"); // too far back
}

TEST(Prompts, KnowFullWidthMarks) {
    EXPECT_EQ(answer_to("スナップショットは作成済みですか？（ｙ/n）"), "-");
    EXPECT_EQ(answer_to("スナップショットは作成済みですか？（y／n）："), "snapshot: y");
    EXPECT_EQ(answer_to("今すぐ再起動しますか（y/n）？"), "reboot: n");
}

TEST(Prompts, TellTheLastWords) {
    Dialogue dialogue({});
    EXPECT_EQ(dialogue.last_words(), "(it printed nothing)");
    dialogue.feed("Enter the license key\n");
    EXPECT_EQ(dialogue.last_words(), "Enter the license key");
    dialogue.feed("> ");
    EXPECT_EQ(dialogue.last_words(), ">");
}

TEST(Dialogue, TakesTheEchoOfAnAnswerForNoWordsOfTheProgram) {
    Dialogue dialogue({});
    dialogue.feed("working\nReboot now? (y/n): ");
    ASSERT_TRUE(dialogue.answer());
    EXPECT_TRUE(dialogue.feed("n\r\n").empty());
    EXPECT_EQ(dialogue.last_words(), "Reboot now? (y/n):");
    EXPECT_EQ(dialogue.feed("n\r\n").size(), 1U); // the program's own
}

TEST(Dialogue, KnowsThatALineEndedBehindTheEchoOfAnAnswer) {
    Dialogue dialogue({});
    dialogue.feed("Reboot now? (y/n): ");
    ASSERT_TRUE(dialogue.answer());
    EXPECT_TRUE(dialogue.ends_with("n"));
    dialogue.feed("n\r\n");
    EXPECT_FALSE(dialogue.ends_with("n")); // what is read next is another question
}

TEST(Dialogue, LeavesNoEchoForItsRest) {
    Dialogue dialogue({});
    dialogue.feed("Reboot now? (y/n): ");
    ASSERT_TRUE(dialogue.answer());
    dialogue.feed("n");
    EXPECT_EQ(dialogue.take_rest(), "");
}
