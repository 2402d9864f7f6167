#pragma once
// The certificate that the appliance serves. Step 9 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// Of the certificate in a PEM file, or that "tls://HOST:PORT" presents to a client that asks for
/// `host_name`. Throws SystemFailure.
CertificateNames certificate_names(const std::string& where, const std::string& host_name);

} // namespace um
