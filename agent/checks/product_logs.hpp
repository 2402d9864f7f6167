#pragma once
// The product's own log files. What was in them before the change is distinguished from what came later.

#include "config/config.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// The error in the web interface and the logs that a wrong host name leads to (step 9 of the procedure).
inline constexpr auto journal_error = "Failed to process journal=>read";

/// The files below the directories where the product and this agent keep their logs, but neither our own log
/// nor files of the journal.
std::vector<LogFile> product_logs(Appliance& appliance, const Config& config);

/// Records durably in the file `path` how long each log is now. Writes nothing when the list is longer than a
/// record may be. Throws SystemFailure.
void mark_logs(Appliance& appliance, const Config& config, const std::string& path);

/// Where the error is: a message in this boot's journal, or a log file that got it since mark_logs(); nothing
/// when it is in neither. Without the file `path`, log files are not searched. Throws SystemFailure.
std::optional<std::string> find_journal_error(Ports& ports, const Config& config, const std::string& path);

} // namespace um
