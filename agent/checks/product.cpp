#include "checks/product.hpp"

#include "base/text.hpp"
#include "base/version.hpp"

namespace um {
namespace {

constexpr std::chrono::seconds version_limit{120}; // rpm waits for a lock that a transaction holds

} // namespace

InstalledProduct installed_product(Appliance& appliance, const Config& config) {
    const auto result = appliance.run(config.product.version_command, "", version_limit);
    const auto version = trimmed(result.output);
    if (result.status != 0 || version.empty() || version.find_first_of(" \n") != std::string::npos)
        return {std::nullopt, trimmed(result.said())};
    return {version, version};
}

std::vector<Finding> judge_installed(const InstalledTruth& truth, const std::string& expected_version,
                                     const std::string& log) {
    std::vector<Finding> findings;
    const auto hint = fmt::format("look at {}", log);
    if (!truth.version || compare_versions(*truth.version, expected_version) != 0)
        findings.push_back(refusal({Reason::verify_version,
                                    fmt::format("version {} was expected, {} is installed", expected_version,
                                                truth.version.value_or("none")),
                                    hint}));
    if (!truth.product_in_place)
        findings.push_back(
            refusal({Reason::verify_version, "/opt/vmware/cloudusagemetering is not in place", hint}));
    if (!truth.packages.empty())
        findings.push_back(
            refusal({Reason::verify_packages,
                     fmt::format("{} packages are not as the media brought them; the first: {}",
                                 truth.packages.size(), truth.packages.front()),
                     hint}));
    return findings;
}

} // namespace um
