#pragma once
// Did the upgrade work? The truth after the boot as values, and the verdict on them (step 10 of the
// procedure). Refusals are failures of the verification, warnings are worth a look.

#include "base/failure.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace um {

/// How long a unit must have been active without a restart before it counts as up: a service that crashes
/// twenty seconds after each start is active most of the time.
inline constexpr std::chrono::seconds steady_time{30};

enum class ServiceState { running, running_with_errors, offline };

struct ServiceLine {
    std::string service; ///< empty for a line that holds the state alone
    ServiceState state{};
};

/// Without control characters, which a terminal would obey; cut after so many bytes.
std::string printable(std::string text, std::size_t limit);

/// Reads what `status.sh` prints: lines that end in Running, Running with errors, or Offline (any case,
/// colours ignored); all else is passed over.
std::vector<ServiceLine> parse_status_report(const std::string& output);

/// What status.sh printed and how it ended.
struct StatusReport {
    std::string output;
    int status = 0;
    bool timed_out = false;
};

inline constexpr auto not_installed = "not installed";

struct UnitHealth {
    std::string unit;
    std::string active; ///< ActiveState, "masked" or not_installed
    unsigned restarts = 0;
    std::chrono::microseconds steady{}; ///< how long it has been active
};

struct Truth {
    std::optional<std::string> version; ///< nothing when the version command failed
    std::vector<std::string> packages;  ///< what is not as the media brought it, one sentence each
    bool product_in_place = false;
};

/// Names of units and services that were not well before the change: theirs is no failure of the upgrade.
using Unwell = std::set<std::string>;

/// The units that are named, and those of the report's services whose name may be a unit's: a later version
/// has more than are configured.
std::vector<std::string> units_of_product(const std::vector<std::string>& named, const StatusReport& report);

/// Who is certainly not well: units that are not active, services that are Offline.
Unwell unwell_before(const std::vector<UnitHealth>& units, const StatusReport& report);
/// Services that are Running with errors: worth a word, but no excuse for being Offline afterwards.
Unwell with_errors(const StatusReport& report);
/// Whether somebody who is not well may only be late.
bool is_coming_up(const std::vector<UnitHealth>& units, const StatusReport& report);

/// `log`: the file that the source points at.
std::vector<Finding> judge_truth(const Truth& truth, const std::string& expected_version,
                                 const std::string& log);
std::vector<Finding> judge_units(const std::vector<UnitHealth>& units, const Unwell& before);
/// `logs`: the product's own log files, of which a service with errors has one.
std::vector<Finding> judge_status(const StatusReport& report, const std::string& log,
                                  const std::vector<LogFile>& logs, const Unwell& before);

/// Each service with its state, on one line: "status.sh: journal Running, login Offline".
std::string summary_of(const StatusReport& report);

/// The newest log file whose path holds the service's name; where there is none, the newest of all; empty
/// where there are no logs. A log is in a directory `log` or `logs`, or has `.log` in its name.
std::string newest_log(const std::vector<LogFile>& logs, const std::string& service);

/// As one text for the record, and back.
std::string to_text(const Unwell& names);
Unwell unwell_from(const std::string& text);

} // namespace um
