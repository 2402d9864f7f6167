#pragma once
// Does the appliance's host name agree with the certificate that it presents? Step 9 of the procedure, before
// the change and after it.

#include "base/failure.hpp"
#include "config/config.hpp"
#include "ports/ports.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct HostNameFacts {
    std::string host_name;                       ///< the kernel's name of the host
    std::string full_name;                       ///< with its domain, if that is known; else the same
    std::optional<CertificateNames> certificate; ///< nothing when it could not be read
    std::string problem;                         ///< why not
};

/// Whether the name `pattern` in a certificate covers the host. Case and a trailing dot make no difference,
/// and
/// "*" covers the whole first label (RFC 6125, 6.4.3).
bool names_host(const std::string& pattern, const std::string& host);

/// The CN must be the host name, and from version 4.7 on a subjectAltName, too. Returns refusals or warnings,
/// by policy (hostname.mismatch, hostname.unknown). `version`: what is or will be installed.
std::vector<Finding> judge_host_name(const HostNameFacts& facts, const Config::Hostname& config,
                                     const std::string& version);

/// Asks the machine. If it cannot answer, the facts contain the problem.
HostNameFacts look_at_host_name(Ports& ports, const Config& config);

} // namespace um
