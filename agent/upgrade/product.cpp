#include "upgrade/product.hpp"

namespace um {
namespace {

constexpr std::chrono::seconds version_limit{120}; // rpm waits for a lock that a transaction holds

} // namespace

InstalledProduct installed_product(Appliance& appliance, const Config& config) {
    auto result = appliance.run(config.product.version_command, "", version_limit);
    auto& said = result.output;
    said.erase(said.find_last_not_of(" \r\n") + 1);
    if (result.status != 0 || said.empty() || said.find_first_of(" \n") != std::string::npos)
        return {std::nullopt, said};
    return {said, said};
}

} // namespace um
