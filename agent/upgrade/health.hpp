#pragma once
// Did the upgrade work? The truth after the boot as values, and the verdict on them (step 10 of the
// procedure).

#include "failure.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace um {

enum class ServiceState { running, running_with_errors, offline };

struct ServiceLine {
    std::string service; ///< empty for a line that holds the state alone
    ServiceState state{};
};

/// Reads what `status.sh` prints: lines that end in Running, Running with errors, or Offline (any case,
/// colours ignored); all else is passed over.
std::vector<ServiceLine> parse_status_report(const std::string& output);

/// What was seen after the boot.
struct Health {
    std::optional<std::string> version; ///< nothing when the version command failed
    std::vector<std::string> packages;  ///< what is not as the media brought it, one sentence each
    bool product_in_place = false;
    std::vector<std::pair<std::string, std::string>> units; ///< name and ActiveState
    std::string status_output;
    int status_exit = 0;
    bool status_timed_out = false;
};

/// Refusals are failures of the verification, warnings are worth a look; an empty list is full health.
/// `log`: the file that the source points at for Offline.
std::vector<Finding> judge_health(const Health& health, const std::string& expected_version,
                                  const std::string& log);

/// Whether waiting may still help: only units and status.sh settle by themselves.
bool may_settle(const std::vector<Finding>& findings);

} // namespace um
