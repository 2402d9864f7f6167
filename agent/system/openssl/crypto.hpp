#pragma once

#include "ports/crypto.hpp"

namespace um {

/// libcrypto computes digests and checks chain and signature, step 2 of the procedure. libssl fetches the
/// certificate that the appliance serves, step 9.
class OpensslCrypto final : public Crypto {
public:
    /// Throws SystemFailure when libcrypto cannot be initialized.
    OpensslCrypto();
    Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                   const OnProgress& on_progress) override;
    CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) override;
    DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                     const std::string& pem, const TrustPolicy& policy) override;
    CertificateNames certificate_names(const std::string& where, const std::string& host_name) override;
};

} // namespace um
