#pragma once
// What was unhealthy before the change. It does not fail the upgrade.

#include "base/failure.hpp"

#include <set>
#include <string>

namespace um {

/// Names of units and services.
using Unhealthy = std::set<std::string>;

/// A finding about a subject that was unhealthy before becomes a warning, because the upgrade is not to blame
/// and waiting does not help.
Finding excuse(const std::string& subject, const Unhealthy& before, Finding finding);

/// As one text for the record, and back.
std::string to_text(const Unhealthy& names);
Unhealthy unhealthy_from(const std::string& text);

} // namespace um
