#pragma once
// The operator's own checks: programs in checks.d/required and checks.d/wanted, run with the argument
// "before" in preflight and "after" in the verification, and with the product's version of that moment.

#include "base/failure.hpp"
#include "ports/ports.hpp"

#include <string>
#include <vector>

namespace um {

inline constexpr auto checks_directory = "/etc/um-upgrade/checks.d";

/// How long one of them may take.
inline constexpr std::chrono::minutes admin_check_limit{5};

enum class Occasion { before, after };

/// Runs them by name. `version`: what is to be installed now; the old one where an upgrade was taken back.
/// Exit status 0 is approval; another status, a time limit passed, or a program that others than root could
/// change is a refusal where the check is required, a warning where it is wanted (check.failed before the
/// change, verify.check after it). Throws SystemFailure.
std::vector<Finding> run_admin_checks(Appliance& appliance, Occasion occasion, const std::string& version);

} // namespace um
