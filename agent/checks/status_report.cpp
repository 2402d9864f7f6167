#include "checks/status_report.hpp"

#include "base/text.hpp"
#include "base/version.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace um {
namespace {

constexpr std::size_t name_limit = 80; // bytes

std::string plain_lower(const std::string& line) {
    std::string result;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\x1b') { // a colour: ESC [ … letter
            while (i < line.size() && std::isalpha(static_cast<unsigned char>(line[i])) == 0)
                ++i;
            continue;
        }
        if (line[i] != '\r')
            result += static_cast<char>(std::tolower(static_cast<unsigned char>(line[i])));
    }
    return result;
}

std::string trimmed(const std::string& text, const char* characters) {
    const auto first = text.find_first_not_of(characters);
    const auto last = text.find_last_not_of(characters);
    return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

std::optional<ServiceLine> service_line(const std::string& line) {
    static const std::pair<std::string, ServiceState> endings[] = {
        {"running with errors", ServiceState::running_with_errors},
        {"running", ServiceState::running},
        {"offline", ServiceState::offline},
    };
    const auto text = trimmed(plain_lower(line), " \t.");
    for (const auto& [ending, state] : endings) {
        if (text.size() < ending.size() ||
            text.compare(text.size() - ending.size(), ending.size(), ending) != 0)
            continue;
        const auto before = text.substr(0, text.size() - ending.size());
        if (!before.empty() && std::isalnum(static_cast<unsigned char>(before.back())) != 0)
            continue;
        auto service = printable(trimmed(before, " \t:=-[("), name_limit);
        std::replace(service.begin(), service.end(), '|', ' '); // it parts names in the record
        if (service.size() >= 3 && service.compare(service.size() - 3, 3, "not") == 0)
            return ServiceLine{service, ServiceState::offline};
        return ServiceLine{service, state};
    }
    return std::nullopt;
}

constexpr auto report_itself = "status.sh"; // the subject of findings about the report as a whole
constexpr auto way_back = "look at {}; the snapshot is the way back";

Finding failure(Reason reason, std::string message, std::string hint) {
    return {Finding::Severity::refusal, reason, std::move(message), std::move(hint)};
}

/// One who was unwell before is told apart: the upgrade is not to blame, and waiting does not help.
Finding about(const std::string& subject, const Unwell& before, Finding finding) {
    if (before.count(subject) == 0)
        return finding;
    finding.severity = Finding::Severity::warning;
    finding.message += " (it was not well before the upgrade either)";
    return finding;
}

/// Letters and digits alone, in lower case: "VMware UM Journal" is in vmware-um-journal.log.
std::string plain_word(const std::string& text) {
    std::string result;
    for (const char c : plain_lower(text))
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            result += c;
    return result;
}

/// A data base and its journal lie beside the logs, and often are the newer files: no operator can read them.
bool reads_as_log(const std::string& path) {
    return path.find(".log") != std::string::npos || path.find("/log/") != std::string::npos ||
           path.find("/logs/") != std::string::npos;
}

std::string name_of(const ServiceLine& line) {
    return line.service.empty() ? std::string("the product") : line.service;
}

} // namespace

std::string printable(std::string text, std::size_t limit) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
        ' ');
    return cut(std::move(text), limit);
}

std::vector<ServiceLine> parse_status_report(const std::string& output) {
    constexpr std::size_t most = 200; // services of a product; the report is not root's
    std::vector<ServiceLine> lines;
    std::istringstream stream(output);
    for (std::string line; lines.size() < most && std::getline(stream, line);)
        if (auto found = service_line(line))
            lines.push_back(std::move(*found));
    return lines;
}

std::vector<std::string> units_of_product(const std::vector<std::string>& named, const StatusReport& report) {
    static constexpr auto unit_characters = "abcdefghijklmnopqrstuvwxyz0123456789:-_.\\@"; // systemd.unit(5)
    auto units = named;
    for (const auto& line : parse_status_report(report.output)) {
        const auto unit = line.service + ".service";
        const bool may_be = line.service.find_first_not_of(unit_characters) == std::string::npos;
        if (may_be && std::find(units.begin(), units.end(), unit) == units.end())
            units.push_back(unit);
    }
    return units;
}

Unwell unwell_before(const std::vector<UnitHealth>& units, const StatusReport& report) {
    Unwell names;
    for (const auto& unit :
         units) // what the upgrade may bring, or what could not be asked, is not known to be
        if (unit.active == "failed" || unit.active == "inactive" || unit.active == "masked" ||
            unit.active == "activating")
            names.insert(unit.unit);
    const auto lines = parse_status_report(report.output);
    if (report.timed_out || lines.empty())
        names.insert(report_itself);
    for (const auto& line : lines)
        if (line.state == ServiceState::offline)
            names.insert(name_of(line));
    return names;
}

Unwell with_errors(const StatusReport& report) {
    Unwell names;
    for (const auto& line : parse_status_report(report.output))
        if (line.state == ServiceState::running_with_errors)
            names.insert(name_of(line));
    return names;
}

bool is_coming_up(const std::vector<UnitHealth>& units, const StatusReport& report) {
    const auto lines = parse_status_report(report.output);
    return std::any_of(units.begin(), units.end(),
                       [](const UnitHealth& unit) { return unit.active == "activating"; }) ||
           report.timed_out || lines.empty() ||
           std::any_of(lines.begin(), lines.end(),
                       [](const ServiceLine& line) { return line.state == ServiceState::offline; });
}

std::vector<Finding> judge_truth(const Truth& truth, const std::string& expected_version,
                                 const std::string& log) {
    std::vector<Finding> findings;
    const auto hint = fmt::format(way_back, log);
    if (!truth.version || compare_versions(*truth.version, expected_version) != 0)
        findings.push_back(failure(Reason::verify_version,
                                   fmt::format("version {} was expected, {} is installed", expected_version,
                                               truth.version.value_or("none")),
                                   hint));
    if (!truth.product_in_place)
        findings.push_back(
            failure(Reason::verify_version, "/opt/vmware/cloudusagemetering is not in place", hint));
    if (!truth.packages.empty())
        findings.push_back(failure(Reason::verify_packages,
                                   fmt::format("{} packages are not as the media brought them; the first: {}",
                                               truth.packages.size(), truth.packages.front()),
                                   hint));
    return findings;
}

std::vector<Finding> judge_units(const std::vector<UnitHealth>& units, const Unwell& before) {
    std::vector<Finding> findings;
    for (const auto& [unit, active, restarts, steady] : units) {
        const auto hint = fmt::format("look at 'journalctl -u {}'", unit);
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(steady).count();
        if (active == "activating" &&
            restarts > 0) // it came up before, or gave up before: that is no slow start
            findings.push_back(about(
                unit, before,
                failure(Reason::verify_unit,
                        fmt::format("{} does not stay up: restarted {} times since the boot, and is starting",
                                    unit, restarts),
                        hint)));
        else if (active == "activating" || active == "reloading")
            findings.push_back(
                about(unit, before,
                      failure(Reason::verify_deadline, fmt::format("{} is still {}", unit, active), hint)));
        else if (active != "active")
            findings.push_back(about(
                unit, before, failure(Reason::verify_unit, fmt::format("{} is {}", unit, active), hint)));
        else if (steady < steady_time)
            findings.push_back(about(
                unit, before,
                failure(Reason::verify_unit,
                        restarts > 0 ? fmt::format("{} does not stay up: restarted {} times since the boot, "
                                                   "active for {} s",
                                                   unit, restarts, seconds)
                                     : fmt::format("{} has been active for {} s alone", unit, seconds),
                        hint)));
        else if (restarts > 0)
            findings.push_back(
                {Finding::Severity::warning, Reason::verify_unit,
                 fmt::format("{} was restarted {} times since the boot, and is active for {} s", unit,
                             restarts, seconds),
                 hint});
    }
    return findings;
}

std::vector<Finding> judge_status(const StatusReport& report, const std::string& log,
                                  const std::vector<LogFile>& logs, const Unwell& before) {
    if (report.timed_out)
        return {about(report_itself, before,
                      failure(Reason::verify_status, "status.sh did not end in time",
                              "run it by hand as the user of [verify] run_as, and see where it hangs"))};
    const auto lines = parse_status_report(report.output);
    if (lines.empty())
        return {about(report_itself, before,
                      failure(Reason::verify_status,
                              fmt::format("status.sh names no state (exit status {}): {}", report.status,
                                          printable(trimmed(report.output, " \t\r\n"), 200)),
                              "run it by hand as the user of [verify] run_as"))};
    std::vector<Finding> findings;
    for (const auto& line : lines) {
        const auto service = name_of(line);
        if (line.state == ServiceState::offline)
            findings.push_back(
                about(service, before,
                      failure(Reason::verify_status, fmt::format("status.sh: {} is Offline", service),
                              fmt::format("look at {}", log))));
        if (line.state != ServiceState::running_with_errors)
            continue;
        const auto newest = newest_log(logs, service);
        findings.push_back(
            about(service, before,
                  {Finding::Severity::warning, Reason::verify_status,
                   fmt::format("status.sh: {} is Running with errors", service),
                   fmt::format("look at {}; the error need not come from the upgrade",
                               newest.empty() ? "its newest log file under /opt/vmware/var/logs" : newest)}));
    }
    return findings;
}

std::string summary_of(const StatusReport& report) {
    constexpr const char* states[] = {"Running", "Running with errors", "Offline"};
    std::string text;
    for (const auto& line : parse_status_report(report.output))
        text += fmt::format("{} {} {}", text.empty() ? "" : ",", name_of(line),
                            states[static_cast<std::size_t>(line.state)]);
    return "status.sh:" + (text.empty() ? " no state" : text);
}

std::string newest_log(const std::vector<LogFile>& logs, const std::string& service) {
    const auto wanted = plain_word(service);
    const LogFile* own = nullptr;
    const LogFile* any = nullptr;
    for (const auto& log : logs) {
        if (!reads_as_log(log.path))
            continue;
        if (any == nullptr || any->modified < log.modified)
            any = &log;
        if (plain_word(log.path).find(wanted) != std::string::npos &&
            (own == nullptr || own->modified < log.modified))
            own = &log;
    }
    const auto* const found = own != nullptr ? own : any;
    return found == nullptr ? "" : found->path;
}

std::string to_text(const Unwell& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : "|") + name;
    return text;
}

Unwell unwell_from(const std::string& text) {
    Unwell names;
    std::istringstream stream(text);
    for (std::string name; std::getline(stream, name, '|');)
        names.insert(name);
    return names;
}

} // namespace um
