#include "checks/product.hpp"

namespace um {
namespace {

constexpr std::chrono::seconds version_limit{120}; // rpm waits for a lock that a transaction holds

} // namespace

InstalledProduct installed_product(Appliance& appliance, const Config& config) {
    const auto result = appliance.run(config.product.version_command, "", version_limit);
    const auto trimmed = [](std::string text) {
        text.erase(text.find_last_not_of(" \r\n") + 1);
        return text;
    };
    const auto version = trimmed(result.output);
    if (result.status != 0 || version.empty() || version.find_first_of(" \n") != std::string::npos)
        return {std::nullopt, trimmed(result.said())};
    return {version, version};
}

} // namespace um
