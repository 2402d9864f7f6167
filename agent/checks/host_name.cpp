#include "checks/host_name.hpp"

#include "base/version.hpp"

#include <algorithm>
#include <cctype>

namespace um {
namespace {

const std::string ways_out =
    "change the host name, then generate a new self-signed certificate or import one signed by your "
    "certification authority; ignored, this ends in 'Failed to process journal=>read' in the web interface";
constexpr auto policy_hint = "; [hostname] mismatch = warn continues anyway";

std::string normal(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (!name.empty() && name.back() == '.')
        name.pop_back();
    return name;
}

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text.empty() ? "none" : text;
}

bool any_names(const std::vector<std::string>& patterns, const HostNameFacts& facts) {
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
        return names_host(pattern, facts.host_name) || names_host(pattern, facts.full_name);
    });
}

} // namespace

bool names_host(const std::string& pattern, const std::string& host) {
    const auto wanted = normal(pattern);
    const auto name = normal(host);
    if (!wanted.starts_with("*."))
        return !wanted.empty() && wanted == name;
    const auto dot = name.find('.');
    return dot != std::string::npos && dot > 0 && name.substr(dot) == wanted.substr(1);
}

std::vector<Finding> judge_host_name(const HostNameFacts& facts, const Config::Hostname& config,
                                     const std::string& version) {
    const auto severity =
        config.mismatch == Mismatch::refuse ? Finding::Severity::refusal : Finding::Severity::warning;
    // A way out that is taken already is none.
    const std::string or_else = config.mismatch == Mismatch::refuse ? policy_hint : "";
    if (!facts.certificate)
        return {
            {{Reason::hostname_unknown,
              fmt::format("cannot determine whether the host name matches the certificate: {}",
                          facts.problem),
              "see that the web server runs, or name the certificate's PEM file in [hostname] certificate" +
                  or_else},
             severity}};
    const auto& [common_names, alternatives] = *facts.certificate;
    if (!any_names(common_names, facts))
        return {{{Reason::hostname_mismatch,
                  fmt::format("Detected wrong hostname. Expected hostname: {}, but found: {}. This will most "
                              "probably result in issues after upgrade with the existing vCloud Usage Meter "
                              "certificates",
                              listed(common_names), facts.full_name),
                  ways_out + or_else},
                 severity}};
    if (compare_versions(version, "4.7") >= 0 && !any_names(alternatives, facts))
        return {
            {{Reason::hostname_mismatch,
              fmt::format("the certificate's CN is the host name {}, its subjectAltName is not ({}); from "
                          "4.7 on both must be",
                          facts.full_name, listed(alternatives)),
              ways_out + or_else},
             severity}};
    return {};
}

HostNameFacts look_at_host_name(Ports& ports, const Config& config) {
    HostNameFacts facts;
    try {
        const auto names = ports.appliance.host_names();
        facts.host_name = names.front();
        facts.full_name = names.back();
        facts.certificate = ports.crypto.certificate_names(config.hostname.certificate, facts.full_name);
    } catch (const SystemFailure& failure) {
        facts.problem = failure.what();
    }
    return facts;
}

} // namespace um
