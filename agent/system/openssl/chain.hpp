#pragma once
// The chain from a signer's certificate to an anchor that was there before the media.

#include "ports/crypto.hpp"
#include "system/openssl/support.hpp"

namespace um {

/// Names longer than that are nobody's: they are cut in messages, and refused of a signer. In bytes.
inline constexpr std::size_t subject_limit = 512;

/// "certificate 'CN=…'", for messages.
std::string quoted_subject(const X509* certificate);

/// RFC 2253; what is not ASCII is escaped, so that no terminal obeys a stranger's certificate.
std::string subject_of(const X509* certificate);

/// ISO 8601, in UTC.
std::string time_text(const ASN1_TIME* time);

/// Builds and judges the chain of the first certificate: anchors, dates, strength, usage, revocation. Every
/// fault is a finding. Throws Failure (certificate.untrusted, certificate.crl) when anchors or revocation
/// lists cannot be used.
std::vector<Finding> judge_chain(const std::vector<Certificate>& certificates, const TrustPolicy& policy);

} // namespace um
