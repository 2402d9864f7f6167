#pragma once
// Digests, certificates and signatures.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include "base/digest.hpp"
#include "base/failure.hpp"
#include "ports/media_directory.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// Called with bytes done and bytes in all; may throw to end the work.
using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct Signer {
    std::string subject;     ///< RFC 2253
    std::string fingerprint; ///< SHA-256, lower-case hexadecimal
    std::string not_before;  ///< ISO 8601
    std::string not_after;
};

/// Whom to trust; mirrors [trust] of the configuration.
struct TrustPolicy {
    std::string anchors; ///< directory, PEM file, or "system"
    /// Allowed subjects, their CN or O, or "sha256:FINGERPRINT"; empty: any below the anchors.
    std::vector<std::string> signers;
    std::string crl; ///< PEM file; empty: none
    bool accept_expired = false;
    bool accept_sha1 = true;
};

struct CertificateVerdict {
    std::optional<Signer> signer; ///< absent when the certificate cannot be read
    std::vector<Finding> findings;
};

/// What a certificate calls its owner.
struct CertificateNames {
    std::vector<std::string> common_names;
    std::vector<std::string> alternatives; ///< subjectAltName: host names alone
};

class Crypto {
public:
    virtual ~Crypto() = default;
    /// One pass over the medium from its first byte to its last. Throws Failure (media.unreadable).
    virtual Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                           const OnProgress& on_progress) = 0;
    /// The chain from the leaf in `pem` to an anchor, dates, usage, signer and revocation.
    virtual CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) = 0;
    /// `signature` over `message` by the key of the leaf in `pem`. Returns the digest that was signed.
    /// Throws Failure (signature.malformed, signature.mismatch, digest.weak).
    virtual DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                             const std::string& pem, const TrustPolicy& policy) = 0;
    /// Of the certificate in a PEM file, or that "tls://HOST:PORT" presents to who asks for `host_name`.
    /// Throws SystemFailure.
    virtual CertificateNames certificate_names(const std::string& where, const std::string& host_name) = 0;
};

} // namespace um
