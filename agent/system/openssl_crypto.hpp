#pragma once

#include "upgrade/ports.hpp"

namespace um {

/// libcrypto: digests, chain, signature. Step 2 of the procedure.
class OpensslCrypto final : public Crypto {
public:
    OpensslCrypto();
    Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                   const OnProgress& on_progress) override;
    CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) override;
    DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                     const std::string& pem, const TrustPolicy& policy) override;
};

} // namespace um
