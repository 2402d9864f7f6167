#pragma once
// The installed product, as its own version command tells it.

#include "config/config.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <string>

namespace um {

inline constexpr auto product_directory = "/opt/vmware/cloudusagemetering";

struct InstalledProduct {
    std::optional<std::string> version; ///< nothing when the command failed or printed no single word
    std::string said;                   ///< what it printed
};

InstalledProduct installed_product(Appliance& appliance, const Config& config);

} // namespace um
