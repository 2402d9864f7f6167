#pragma once
// The signature over the manifest. Step 2.3 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// Verifies `signature` over `message` with the key of the first certificate in `pem`. Returns the algorithm
/// of the digest that was signed. Throws Failure (signature.malformed, signature.mismatch, digest.weak,
/// certificate.malformed, certificate.usage). Throws SystemFailure.
DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                 const std::string& pem, const TrustPolicy& policy);

} // namespace um
