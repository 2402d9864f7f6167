#pragma once
// Is the certificate one that may sign media? Step 2.2 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// Judges key, usage, signer and chain of the first certificate in `pem`.
CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy);

} // namespace um
