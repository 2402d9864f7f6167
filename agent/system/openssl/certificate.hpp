#pragma once
// Whether a certificate may sign media. Step 2.2 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// Judges key, usage, signer and chain of the first certificate in `pem`. Every fault is a finding, also a
/// PEM text that cannot be read. Throws SystemFailure.
CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy);

} // namespace um
