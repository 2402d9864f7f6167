#pragma once
// The operator's own checks: programs in checks.d/required and checks.d/wanted. Their arguments are "before"
// in preflight or "after" in the verification, and the product's version at that moment.

#include "base/failure.hpp"
#include "ports/ports.hpp"

#include <string>
#include <vector>

namespace um {

inline constexpr auto checks_directory = "/etc/um-upgrade/checks.d";

/// How long one of them may take.
inline constexpr std::chrono::minutes admin_check_limit{5};

enum class Occasion { before, after };

/// Runs the required checks, then the wanted ones, each sorted by name. `version`: what should be installed
/// now, which after a rollback is the old version. Exit status 0 is approval. Another status, a passed time
/// limit, or a program that users other than root could change is a refusal from a required check and a
/// warning from a wanted one (check.failed before the change, verify.check after it). Throws SystemFailure.
std::vector<Finding> run_admin_checks(Appliance& appliance, Occasion occasion, const std::string& version);

} // namespace um
