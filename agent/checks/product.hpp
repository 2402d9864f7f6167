#pragma once
// The installed product, as its own version command reports it.

#include "base/failure.hpp"
#include "config/config.hpp"
#include "ports/appliance.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

inline constexpr auto product_directory = "/opt/vmware/cloudusagemetering";

struct InstalledProduct {
    std::optional<std::string> version; ///< nothing when the command failed or printed no single word
    std::string said;                   ///< what it printed
};

/// Runs the version command. Throws SystemFailure.
InstalledProduct installed_product(Appliance& appliance, const Config& config);

/// What is installed after the boot.
struct InstalledTruth {
    std::optional<std::string> version; ///< nothing when the version command failed
    std::vector<std::string> packages;  ///< what is not as the media brought it, one sentence each
    bool product_in_place = false;
};

/// Failures of the verification. `log`: the file that the hints name.
std::vector<Finding> judge_installed(const InstalledTruth& truth, const std::string& expected_version,
                                     const std::string& log);

} // namespace um
