#pragma once
// The product's own log files: what stood in them before the change is told apart from what came after.

#include "config/config.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// What a wrong host name ends in, in the web interface and the logs (step 9 of the procedure).
inline constexpr auto journal_error = "Failed to process journal=>read";

/// The files under the directories where the product and this agent keep their logs, without our own log.
std::vector<LogFile> product_logs(Appliance& appliance, const Config& config);

/// How long each log is now, durably in the file `path`. Throws SystemFailure.
void mark_logs(Appliance& appliance, const Config& config, const std::string& path);

/// Where the error stands since mark_logs(): a log file, or a message of this boot's journal; nothing where
/// it does not. Without a mark the logs are left out. Throws SystemFailure.
std::optional<std::string> find_journal_error(Ports& ports, const Config& config, const std::string& path);

} // namespace um
