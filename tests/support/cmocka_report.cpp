#include "support/cmocka_report.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>
#include <strings.h>

namespace um::test {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
        text.replace(at, what.size(), with);
    return text;
}

/// A CDATA section ends at the first "]]>", so such text is split between two sections.
std::string cdata(const std::string& text) {
    return "<![CDATA[" + replaced(text, "]]>", "]]]]><![CDATA[>") + "]]>";
}

std::string attribute(const std::string& text) {
    return replaced(replaced(replaced(text, "&", "&amp;"), "<", "&lt;"), "\"", "&quot;");
}

std::string full_name(const TestReport& report) {
    return report.group + "." + report.name;
}

std::size_t failures(const std::vector<TestReport>& reports) {
    return static_cast<std::size_t>(std::count_if(
        reports.begin(), reports.end(), [](const TestReport& report) { return !report.failure.empty(); }));
}

/// The groups in the order in which they ran.
std::vector<std::vector<TestReport>> by_group(const std::vector<TestReport>& reports) {
    std::vector<std::vector<TestReport>> groups;
    for (const auto& report : reports) {
        const auto found = std::find_if(groups.begin(), groups.end(), [&](const auto& group) {
            return group.front().group == report.group;
        });
        if (found == groups.end())
            groups.push_back({report});
        else
            found->push_back(report);
    }
    return groups;
}

void add_group(std::ostream& xml, const std::vector<TestReport>& group) {
    double seconds = 0;
    for (const auto& report : group)
        seconds += report.seconds;
    xml << "  <testsuite name=\"" << attribute(group.front().group) << "\" time=\"" << seconds
        << "\" tests=\"" << group.size() << "\" failures=\"" << failures(group)
        << "\" errors=\"0\" skipped=\"0\" >\n";
    for (const auto& report : group) {
        xml << "    <testcase name=\"" << attribute(report.name) << "\" time=\"" << report.seconds
            << "\" >\n";
        if (!report.failure.empty())
            xml << "      <failure>" << cdata(report.failure) << "</failure>\n";
        xml << "    </testcase>\n";
    }
    xml << "  </testsuite>\n";
}

} // namespace

MessageOutput message_output(const char* value) {
    static const std::pair<const char*, MessageOutput> words[] = {{"STDOUT", MessageOutput::standard},
                                                                  {"STANDARD", MessageOutput::standard},
                                                                  {"TAP", MessageOutput::tap},
                                                                  {"XML", MessageOutput::xml}};
    for (const auto& [word, form] : words)
        if (value != nullptr && ::strcasecmp(value, word) == 0)
            return form;
    return MessageOutput::googletest;
}

std::string tap_line(std::size_t number, const TestReport& report) {
    if (report.failure.empty())
        return "ok " + std::to_string(number) + " - " + full_name(report) + "\n";
    std::string text = "not ok " + std::to_string(number) + " - " + full_name(report) + "\n";
    std::istringstream lines(report.failure);
    for (std::string line; std::getline(lines, line);)
        text += "# " + line + "\n";
    return text;
}

std::string standard_lines(const TestReport& report) {
    if (report.failure.empty())
        return "[       OK ] " + full_name(report) + "\n";
    return report.failure + "[  FAILED  ] " + full_name(report) + "\n";
}

std::string xml_document(const std::vector<TestReport>& reports) {
    std::ostringstream xml;
    xml << std::fixed << std::setprecision(3)
        << "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<testsuites>\n";
    for (const auto& group : by_group(reports))
        add_group(xml, group);
    xml << "</testsuites>\n";
    return xml.str();
}

CmockaReport::CmockaReport(MessageOutput form, std::string xml_file, std::ostream& output,
                           std::ostream& errors)
    : form_(form), xml_file_(std::move(xml_file)), output_(output), errors_(errors) {}

void CmockaReport::OnTestProgramStart(const testing::UnitTest& program) {
    if (form_ == MessageOutput::tap)
        output_ << "TAP version 13\n1.." << program.test_to_run_count() << '\n' << std::flush;
    if (form_ == MessageOutput::standard)
        output_ << "[==========] Running " << program.test_to_run_count() << " test(s).\n" << std::flush;
}

void CmockaReport::OnTestStart(const testing::TestInfo& test) {
    failure_.clear();
    if (form_ == MessageOutput::standard)
        output_ << "[ RUN      ] " << test.test_suite_name() << '.' << test.name() << '\n' << std::flush;
}

void CmockaReport::OnTestPartResult(const testing::TestPartResult& part) {
    if (!part.failed())
        return;
    std::ostringstream text;
    text << (part.file_name() != nullptr ? part.file_name() : "unknown file") << ':' << part.line_number()
         << ": " << part.message() << '\n';
    failure_ += text.str();
}

void CmockaReport::OnTestEnd(const testing::TestInfo& test) {
    add({test.test_suite_name(), test.name(), failure_,
         static_cast<double>(test.result()->elapsed_time()) / 1000.0});
}

void CmockaReport::OnTestProgramEnd(const testing::UnitTest&) {
    finish();
}

void CmockaReport::add(const TestReport& report) {
    reports_.push_back(report);
    if (form_ == MessageOutput::tap)
        output_ << tap_line(reports_.size(), report) << std::flush;
    if (form_ == MessageOutput::standard)
        output_ << standard_lines(report) << std::flush;
}

void CmockaReport::finish() {
    const auto failed = failures(reports_);
    if (form_ == MessageOutput::standard)
        output_ << "[==========] " << reports_.size() << " test(s) run.\n[  PASSED  ] "
                << reports_.size() - failed << " test(s).\n";
    if (form_ == MessageOutput::standard && failed > 0)
        output_ << "[  FAILED  ] " << failed << " test(s)\n\n " << failed << " FAILED TEST(S)\n";
    if (form_ == MessageOutput::tap)
        output_ << (failed == 0 ? "# ok\n" : "# not ok\n");
    if (form_ == MessageOutput::xml && xml_file_.find("%g") != std::string::npos)
        for (const auto& group : by_group(reports_))
            write_xml(replaced(xml_file_, "%g", replaced(group.front().group, "/", "_")), group);
    else if (form_ == MessageOutput::xml)
        write_xml(xml_file_, reports_);
    output_ << std::flush;
}

void CmockaReport::write_xml(const std::string& path, const std::vector<TestReport>& reports) {
    if (path.empty()) {
        output_ << xml_document(reports);
        return;
    }
    std::error_code error;
    if (!std::filesystem::exists(path, error)) {
        std::ofstream file(path);
        file << xml_document(reports) << std::flush;
        if (file)
            return;
    }
    errors_ << xml_document(reports); // as CMocka does if the file exists or cannot be written
}

} // namespace um::test
