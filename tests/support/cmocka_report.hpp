#pragma once
// Reports in CMocka's forms, so that a harness made for CMocka can read GoogleTest's results. The environment
// variable CMOCKA_MESSAGE_OUTPUT chooses STDOUT, TAP or XML. CMOCKA_XML_FILE names the file for XML. In it %g
// means the group. An existing file is not overwritten.

#include <gtest/gtest.h>

#include <iosfwd>
#include <string>
#include <vector>

namespace um::test {

enum class MessageOutput { googletest, standard, tap, xml };

/// Parses CMOCKA_MESSAGE_OUTPUT, in any case. GoogleTest's own form for a word that CMocka does not know.
MessageOutput message_output(const char* value);

struct TestReport {
    std::string group; ///< GoogleTest's suite
    std::string name;
    std::string failure; ///< what failed and where; empty: passed
    double seconds = 0;
};

/// One line per test, as CMocka prints it: "ok 1 - Group.name".
std::string tap_line(std::size_t number, const TestReport& report);
std::string standard_lines(const TestReport& report);
/// One document with every group among `reports`.
std::string xml_document(const std::vector<TestReport>& reports);

/// Prints each test when it ends, and the XML when all have ended.
class CmockaReport : public testing::EmptyTestEventListener {
public:
    /// `xml_file`: the value of CMOCKA_XML_FILE. If it is empty, XML goes to `output`.
    CmockaReport(MessageOutput form, std::string xml_file, std::ostream& output, std::ostream& errors);

    void OnTestProgramStart(const testing::UnitTest& program) override;
    void OnTestStart(const testing::TestInfo& test) override;
    void OnTestPartResult(const testing::TestPartResult& part) override;
    void OnTestEnd(const testing::TestInfo& test) override;
    void OnTestProgramEnd(const testing::UnitTest& program) override;

    /// OnTestEnd and OnTestProgramEnd call these, and so do tests of the report.
    void add(const TestReport& report);
    void finish();

private:
    void write_xml(const std::string& path, const std::vector<TestReport>& reports);

    MessageOutput form_;
    std::string xml_file_;
    std::ostream& output_;
    std::ostream& errors_;
    std::string failure_; ///< of the running test
    std::vector<TestReport> reports_;
};

} // namespace um::test
