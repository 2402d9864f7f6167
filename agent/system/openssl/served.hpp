#pragma once
// The certificate that the appliance serves. Step 9 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// The names in a certificate. `where`: a PEM file, or "tls://HOST:PORT" for the certificate that the server
/// presents to a client that asks for `host_name`. Throws SystemFailure.
CertificateNames certificate_names(const std::string& where, const std::string& host_name);

} // namespace um
