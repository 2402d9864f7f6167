#include "upgrade/health.hpp"

#include "upgrade/version.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace um {
namespace {

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
        const auto service = trimmed(before, " \t:=-[(");
        if (service.size() >= 3 && service.compare(service.size() - 3, 3, "not") == 0)
            return ServiceLine{service, ServiceState::offline};
        return ServiceLine{service, state};
    }
    return std::nullopt;
}

Finding failure(Reason reason, std::string message, std::string hint) {
    return {Finding::Severity::refusal, reason, std::move(message), std::move(hint)};
}

void judge_status(std::vector<Finding>& findings, const Health& health, const std::string& log) {
    if (health.status_timed_out) {
        findings.push_back(failure(Reason::verify_status, "status.sh did not end in time",
                                   "run it by hand and see where it hangs"));
        return;
    }
    const auto lines = parse_status_report(health.status_output);
    if (lines.empty()) {
        findings.push_back(
            failure(Reason::verify_status,
                    fmt::format("status.sh names no state (exit status {}): {}", health.status_exit,
                                trimmed(health.status_output, " \t\r\n").substr(0, 200)),
                    "run it by hand as the user of [verify] run_as"));
        return;
    }
    for (const auto& line : lines) {
        const auto service = line.service.empty() ? std::string("the product") : line.service;
        if (line.state == ServiceState::offline)
            findings.push_back(failure(Reason::verify_status,
                                       fmt::format("status.sh: {} is Offline", service),
                                       fmt::format("look at {}", log)));
        else if (line.state == ServiceState::running_with_errors)
            findings.push_back(
                {Finding::Severity::warning, Reason::verify_status,
                 fmt::format("status.sh: {} is Running with errors", service),
                 "look at that service's newest log file under /opt/vmware/var/logs; the error need "
                 "not come from the upgrade"});
    }
}

} // namespace

std::vector<ServiceLine> parse_status_report(const std::string& output) {
    std::vector<ServiceLine> lines;
    std::istringstream stream(output);
    for (std::string line; std::getline(stream, line);)
        if (auto found = service_line(line))
            lines.push_back(std::move(*found));
    return lines;
}

std::vector<Finding> judge_health(const Health& health, const std::string& expected_version,
                                  const std::string& log) {
    std::vector<Finding> findings;
    if (!health.version || compare_versions(*health.version, expected_version) != 0)
        findings.push_back(failure(Reason::verify_version,
                                   fmt::format("version {} was expected, {} is installed", expected_version,
                                               health.version.value_or("none")),
                                   fmt::format("look at {}; the snapshot is the way back", log)));
    if (!health.product_in_place)
        findings.push_back(failure(Reason::verify_version, "/opt/vmware/cloudusagemetering is not in place",
                                   fmt::format("look at {}; the snapshot is the way back", log)));
    if (!health.packages.empty())
        findings.push_back(failure(Reason::verify_packages,
                                   fmt::format("{} packages are not as the media brought them; the first: {}",
                                               health.packages.size(), health.packages.front()),
                                   fmt::format("look at {}; the snapshot is the way back", log)));
    for (const auto& [unit, active] : health.units)
        if (active != "active")
            findings.push_back(failure(Reason::verify_unit, fmt::format("{} is {}", unit, active),
                                       fmt::format("look at 'journalctl -u {}'", unit)));
    judge_status(findings, health, log);
    return findings;
}

bool may_settle(const std::vector<Finding>& findings) {
    const auto settles = [](const Finding& finding) {
        return finding.severity == Finding::Severity::warning || finding.reason == Reason::verify_unit ||
               finding.reason == Reason::verify_status;
    };
    return !findings.empty() && std::all_of(findings.begin(), findings.end(), settles);
}

} // namespace um
