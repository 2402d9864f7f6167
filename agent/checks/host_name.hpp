#pragma once
// Does the appliance's host name agree with the certificate that it serves? Step 9 of the procedure, before
// the change and after it.

#include "base/failure.hpp"
#include "config/config.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct HostNameFacts {
    std::string host_name;                       ///< as the kernel has it
    std::string full_name;                       ///< with its domain, where it could be told; else the same
    std::optional<CertificateNames> certificate; ///< nothing when it could not be read
    std::string problem;                         ///< why not
};

/// Whether `pattern` of a certificate stands for the host: letters' case and a trailing dot do not count, and
/// "*" stands for the whole first label (RFC 6125, 6.4.3).
bool names_host(const std::string& pattern, const std::string& host);

/// The CN must be the host name, and from version 4.7 on a subjectAltName, too. Refusals or warnings, by
/// policy (hostname.mismatch, hostname.unknown). `version`: what is upgraded to.
std::vector<Finding> judge_host_name(const HostNameFacts& facts, const Config::Hostname& config,
                                     const std::string& version);

/// Asks the machine; what it cannot tell is in the facts.
HostNameFacts look_at_host_name(Ports& ports, const Config& config);

} // namespace um
