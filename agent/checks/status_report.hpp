#pragma once
// What the product says of its services: the report of `status.sh`, step 10 of the procedure.

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
    std::string service; ///< empty for a line that holds the state alone
    ServiceState state{};
};

/// What status.sh printed and how it ended.
struct StatusReport {
    std::string output;
    int status = 0;
    bool timed_out = false;
};

/// Runs it. A report that cannot be had is an empty one with the machine's words.
StatusReport look_at_status(Ports& ports, const Config& config, std::chrono::seconds limit);

/// Reads the lines that end in Running, Running with errors, or Offline (any case, colors ignored). All
/// others are passed over.
std::vector<ServiceLine> parse_status_report(const std::string& output);

/// What a line speaks of.
std::string name_of(const ServiceLine& line);

/// Services that are Running with errors. That is worth a word, but does not excuse being Offline afterwards.
Unhealthy with_errors(const StatusReport& report);

/// `log`: the file that the source points at. `logs`: the product's own log files, of which a service with
/// errors has one. Refusals are failures of the verification, warnings are worth a look.
std::vector<Finding> judge_status(const StatusReport& report, const std::string& log,
                                  const std::vector<LogFile>& logs, const Unhealthy& before);

/// Each service with its state, on one line: "status.sh: journal Running, login Offline".
std::string summary_of(const StatusReport& report);

/// The newest log file whose path holds the service's name; where there is none, the newest of all; empty
/// where there are no logs. A log is in a directory `log` or `logs`, or has `.log` in its name.
std::string newest_log(const std::vector<LogFile>& logs, const std::string& service);

} // namespace um
