#include "support/cmocka_report.hpp"
#include "support/scratch.hpp"

#include <sstream>
#include <unistd.h>

using namespace um::test;

namespace {

const TestReport passed{"Manifest", "ReadsWhatCoreutilsWrite", "", 0.012};
const TestReport failed{"Bus", "Reconnects", "bus_test.cpp:7: a <b> && ]]> \"c\"\nsecond line\n", 1.5};

struct Reported {
    explicit Reported(MessageOutput form, const std::string& xml_file = "") {
        CmockaReport report(form, xml_file, output, errors);
        report.add(passed);
        report.add(failed);
        report.finish();
    }
    std::ostringstream output;
    std::ostringstream errors;
};

} // namespace

TEST(CmockaReport, KnowsTheWordsOfCmockaInAnyCase) {
    EXPECT_EQ(message_output("STDOUT"), MessageOutput::standard);
    EXPECT_EQ(message_output("tap"), MessageOutput::tap);
    EXPECT_EQ(message_output("Xml"), MessageOutput::xml);
    EXPECT_EQ(message_output(nullptr), MessageOutput::googletest);
    EXPECT_EQ(message_output("paper"), MessageOutput::googletest);
}

TEST(CmockaReport, PrintsTapWithTheFailureAsComments) {
    EXPECT_EQ(Reported(MessageOutput::tap).output.str(), "ok 1 - Manifest.ReadsWhatCoreutilsWrite\n"
                                                         "not ok 2 - Bus.Reconnects\n"
                                                         "# bus_test.cpp:7: a <b> && ]]> \"c\"\n"
                                                         "# second line\n"
                                                         "# not ok\n");
}

TEST(CmockaReport, PrintsTheStandardForm) {
    EXPECT_EQ(Reported(MessageOutput::standard).output.str(),
              "[       OK ] Manifest.ReadsWhatCoreutilsWrite\n"
              "bus_test.cpp:7: a <b> && ]]> \"c\"\n"
              "second line\n"
              "[  FAILED  ] Bus.Reconnects\n"
              "[==========] 2 test(s) run.\n"
              "[  PASSED  ] 1 test(s).\n"
              "[  FAILED  ] 1 test(s)\n\n 1 FAILED TEST(S)\n");
}

TEST(CmockaReport, WritesOneXmlDocumentOfAllGroups) {
    EXPECT_EQ(
        Reported(MessageOutput::xml).output.str(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n"
        "<testsuites>\n"
        "  <testsuite name=\"Manifest\" time=\"0.012\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\" "
        ">\n"
        "    <testcase name=\"ReadsWhatCoreutilsWrite\" time=\"0.012\" >\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"Bus\" time=\"1.500\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\" >\n"
        "    <testcase name=\"Reconnects\" time=\"1.500\" >\n"
        "      <failure><![CDATA[bus_test.cpp:7: a <b> && ]]]]><![CDATA[> \"c\"\nsecond line\n]]></failure>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

TEST(CmockaReport, WritesAFileForEachGroup) {
    const Scratch scratch;
    const Reported run(MessageOutput::xml, scratch / "%g.xml");
    EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"Bus.xml", "Manifest.xml"}));
    EXPECT_EQ(text_of(scratch / "Manifest.xml"), xml_document({passed}));
    EXPECT_EQ(run.output.str() + run.errors.str(), "");
}

TEST(CmockaReport, NamesNoDirectoryByAParameterizedGroup) {
    const Scratch scratch;
    std::ostringstream output;
    std::ostringstream errors;
    CmockaReport report(MessageOutput::xml, scratch / "%g.xml", output, errors);
    report.add({"Of/Refusal", "IsInTheRecord/NoSnapshot", "", 0});
    report.finish();
    EXPECT_EQ(names_in(scratch.path()), (std::vector<std::string>{"Of_Refusal.xml"}));
}

TEST(CmockaReport, LeavesAFileThatExistsAlone) {
    const Scratch scratch;
    const auto path = scratch.file("report.xml", "kept");
    const Reported run(MessageOutput::xml, path);
    EXPECT_EQ(text_of(path), "kept");
    EXPECT_EQ(run.errors.str(), xml_document({passed, failed}));
}

TEST(CmockaReport, IsWhatATestProgramPrintsWhenTheEnvironmentAsks) {
    const auto self = std::string("GTEST_FILTER=CmockaReport.KnowsThe* CMOCKA_MESSAGE_OUTPUT=TAP /proc/") +
                      std::to_string(::getpid()) + "/exe";
    const auto result = shell(self);
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.output,
              "TAP version 13\n1..1\nok 1 - CmockaReport.KnowsTheWordsOfCmockaInAnyCase\n# ok\n");
}
