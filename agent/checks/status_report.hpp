#pragma once
// What the product reports about its services: the output of `status.sh`, step 10 of the procedure.

#include "checks/unhealthy.hpp"
#include "config/config.hpp"
#include "ports/ports.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace um {

/// How long the report may take.
inline constexpr std::chrono::seconds status_limit{60};

/// The subject of findings about the report as a whole.
inline constexpr auto report_itself = "status.sh";

enum class ServiceState { running, running_with_errors, offline };

struct ServiceLine {
    std::string service; ///< empty for a line that has only the state
    ServiceState state{};
};

/// What status.sh printed and how it ended.
struct StatusReport {
    std::string output;
    int status = 0;
    bool timed_out = false;
};

/// Runs status.sh as the user of [verify] run_as. If it cannot be run, the output is the error's message, and
/// the status is -1.
StatusReport look_at_status(Ports& ports, const Config& config, std::chrono::seconds limit);

/// Reads the lines that end in Running, Running with errors, or Offline (any case, colors ignored). "Not
/// running" is Offline. All other lines are skipped, and so is what comes after 200 services.
std::vector<ServiceLine> parse_status_report(const std::string& output);

/// The service that a line is about; "the product" when it names none.
std::string name_of(const ServiceLine& line);

/// Services that are Running with errors. That is worth a warning, but does not excuse being Offline
/// afterwards.
Unhealthy with_errors(const StatusReport& report);

/// Refusals are failures of the verification; warnings are worth a look. `log`: the file that hints name.
/// `logs`: the product's own log files; the hint about a service with errors names one of them.
std::vector<Finding> judge_status(const StatusReport& report, const std::string& log,
                                  const std::vector<LogFile>& logs, const Unhealthy& before);

/// Each service with its state, on one line: "status.sh: journal Running, login Offline".
std::string summary_of(const StatusReport& report);

/// The newest log file with the service's name in its path; if there is none, the newest of all; empty when
/// there are no logs. A log is in a directory `log` or `logs`, or has `.log` in its path.
std::string newest_log(const std::vector<LogFile>& logs, const std::string& service);

} // namespace um
