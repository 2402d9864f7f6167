#pragma once
// Digests, certificates and signatures.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include "base/digest.hpp"
#include "base/failure.hpp"
#include "ports/media_directory.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// Called with the bytes done and the bytes in total. It may throw to end the work.
using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

struct Signer {
    std::string subject;     ///< RFC 2253
    std::string fingerprint; ///< SHA-256, lower-case hexadecimal
    std::string not_before;  ///< ISO 8601
    std::string not_after;
};

/// Which certificates are trusted. It mirrors [trust] of the configuration.
struct TrustPolicy {
    std::string anchors; ///< directory, PEM file, or "system"
    /// Allowed subjects, their CN or O, or "sha256:FINGERPRINT". When empty, any signer below the anchors.
    std::vector<std::string> signers;
    std::string crl; ///< PEM file; empty when there is none
    bool accept_expired = false;
    bool accept_sha1 = true;
};

struct CertificateVerdict {
    std::optional<Signer> signer; ///< absent when the certificate cannot be read
    std::vector<Finding> findings;
};

/// The names that a certificate gives its owner.
struct CertificateNames {
    std::vector<std::string> common_names;
    std::vector<std::string> alternatives; ///< subjectAltName: host names only
};

class Crypto {
public:
    virtual ~Crypto() = default;
    /// Reads the medium once, from its first byte to its last. Throws Failure (media.unreadable).
    virtual Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                           const OnProgress& on_progress) = 0;
    /// Judges the chain from the leaf in `pem` to an anchor, its dates, usage, signer and revocation.
    virtual CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) = 0;
    /// Verifies `signature` over `message` with the key of the leaf in `pem`. Returns the algorithm of the
    /// digest that was signed. Throws Failure (signature.malformed, signature.mismatch, digest.weak).
    virtual DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                             const std::string& pem, const TrustPolicy& policy) = 0;
    /// The names in a certificate. `where` is a PEM file, or "tls://HOST:PORT": then it is the certificate
    /// that is presented for `host_name`. Throws SystemFailure.
    virtual CertificateNames certificate_names(const std::string& where, const std::string& host_name) = 0;
};

} // namespace um
