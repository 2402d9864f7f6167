#pragma once

#include "ports/crypto.hpp"

namespace um {

/// libcrypto: digests, chain, signature, step 2 of the procedure; libssl: who the appliance says it is,
/// step 9.
class OpensslCrypto final : public Crypto {
public:
    OpensslCrypto();
    Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                   const OnProgress& on_progress) override;
    CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) override;
    DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                     const std::string& pem, const TrustPolicy& policy) override;
    CertificateNames certificate_names(const std::string& where, const std::string& host_name) override;
};

} // namespace um
