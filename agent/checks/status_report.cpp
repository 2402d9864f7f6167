#include "checks/status_report.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace um {
namespace {

constexpr std::size_t name_limit = 80; // bytes

std::string plain_lower(const std::string& line) {
    std::string result;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '\x1b') { // a color: ESC [ … letter
            while (i < line.size() && std::isalpha(static_cast<unsigned char>(line[i])) == 0)
                ++i;
            continue;
        }
        if (line[i] != '\r')
            result += static_cast<char>(std::tolower(static_cast<unsigned char>(line[i])));
    }
    return result;
}

std::optional<ServiceLine> service_line(const std::string& line) {
    static const std::pair<std::string, ServiceState> endings[] = {
        {"running with errors", ServiceState::running_with_errors},
        {"running", ServiceState::running},
        {"offline", ServiceState::offline},
    };
    const auto text = trimmed(plain_lower(line), " \t.");
    for (const auto& [ending, state] : endings) {
        if (!text.ends_with(ending))
            continue;
        const auto before = text.substr(0, text.size() - ending.size());
        if (!before.empty() && std::isalnum(static_cast<unsigned char>(before.back())) != 0)
            continue;
        auto service = printable(trimmed(before, " \t:=-[("), name_limit);
        std::replace(service.begin(), service.end(), '|', ' '); // it separates names in the record
        if (service.ends_with("not"))
            return ServiceLine{service, ServiceState::offline};
        return ServiceLine{service, state};
    }
    return std::nullopt;
}

/// Only letters and digits, in lower case, so that "VMware UM Journal" is found in vmware-um-journal.log.
std::string plain_word(const std::string& text) {
    std::string result;
    for (const char c : plain_lower(text))
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            result += c;
    return result;
}

/// A database and its journal are beside the logs and often newer, but no operator can read them.
bool reads_as_log(const std::string& path) {
    return path.find(".log") != std::string::npos || path.find("/log/") != std::string::npos ||
           path.find("/logs/") != std::string::npos;
}

} // namespace

StatusReport look_at_status(Ports& ports, const Config& config, std::chrono::seconds limit) {
    try {
        const auto result =
            ports.appliance.run({"/bin/bash", config.verify.status_command}, config.verify.run_as, limit);
        return {result.said(), result.status, result.timed_out};
    } catch (const SystemFailure& failure) {
        return {failure.what(), -1, false};
    }
}

std::string name_of(const ServiceLine& line) {
    return line.service.empty() ? std::string("the product") : line.service;
}

std::vector<ServiceLine> parse_status_report(const std::string& output) {
    constexpr std::size_t most = 200; // services; the report is not made by root, so it has a limit
    std::vector<ServiceLine> lines;
    for (const auto& line : lines_of(output))
        if (auto found = service_line(line); found && lines.size() < most)
            lines.push_back(std::move(*found));
    return lines;
}

Unhealthy with_errors(const StatusReport& report) {
    Unhealthy names;
    for (const auto& line : parse_status_report(report.output))
        if (line.state == ServiceState::running_with_errors)
            names.insert(name_of(line));
    return names;
}

std::vector<Finding> judge_status(const StatusReport& report, const std::string& log,
                                  const std::vector<LogFile>& logs, const Unhealthy& before) {
    if (report.timed_out)
        return {excuse(report_itself, before,
                       refusal({Reason::verify_status, "status.sh did not end in time",
                                "run it by hand as the user of [verify] run_as, and see where it hangs"}))};
    const auto lines = parse_status_report(report.output);
    if (lines.empty())
        return {excuse(report_itself, before,
                       refusal({Reason::verify_status,
                                fmt::format("status.sh names no state (exit status {}): {}", report.status,
                                            printable(trimmed(report.output, " \t\r\n"), 200)),
                                "run it by hand as the user of [verify] run_as"}))};
    std::vector<Finding> findings;
    for (const auto& line : lines) {
        const auto service = name_of(line);
        if (line.state == ServiceState::offline)
            findings.push_back(
                excuse(service, before,
                       refusal({Reason::verify_status, fmt::format("status.sh: {} is Offline", service),
                                fmt::format("look at {}", log)})));
        if (line.state != ServiceState::running_with_errors)
            continue;
        const auto newest = newest_log(logs, service);
        findings.push_back(excuse(
            service, before,
            warning(
                {Reason::verify_status, fmt::format("status.sh: {} is Running with errors", service),
                 fmt::format("look at {}; the error need not come from the upgrade",
                             newest.empty() ? "its newest log file under /opt/vmware/var/logs" : newest)})));
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

} // namespace um
