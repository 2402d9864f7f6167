#pragma once
// The chain from a signer's certificate to an anchor that the machine had before the media came.

#include "ports/crypto.hpp"
#include "system/openssl/support.hpp"

namespace um {

/// In bytes. No real name is longer. Messages cut longer names, and a signer with one is refused.
inline constexpr std::size_t subject_limit = 512;

/// "certificate 'CN=…'", for messages. Throws SystemFailure.
std::string quoted_subject(const X509* certificate);

/// The subject as in RFC 2253. Escapes all but ASCII, so that no terminal obeys a stranger's certificate.
/// Throws SystemFailure.
std::string subject_of(const X509* certificate);

/// ISO 8601, in UTC.
std::string time_text(const ASN1_TIME* time);

/// Builds and judges the chain of the first certificate: anchors, dates, strength, usage, revocation. Every
/// fault is a finding. Throws Failure (certificate.untrusted, certificate.crl) when anchors or revocation
/// lists cannot be used. Throws SystemFailure.
std::vector<Finding> judge_chain(const std::vector<Certificate>& certificates, const TrustPolicy& policy);

} // namespace um
