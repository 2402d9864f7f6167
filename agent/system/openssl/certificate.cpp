#include "system/openssl/certificate.hpp"

#include "base/sha256.hpp"
#include "system/openssl/chain.hpp"
#include "system/openssl/support.hpp"

#include <openssl/x509v3.h>

namespace um {
namespace {

std::string fingerprint(const X509* certificate) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    expect(X509_digest(certificate, EVP_sha256(), bytes, &size) == 1, "digest a certificate");
    return hex(bytes, size);
}

Signer describe(const X509* certificate) {
    return {subject_of(certificate), fingerprint(certificate), time_text(X509_get0_notBefore(certificate)),
            time_text(X509_get0_notAfter(certificate))};
}

bool is_signer(X509* leaf, const Signer& signer, const std::string& allowed) {
    constexpr std::string_view prefix = "sha256:";
    if (allowed.rfind(prefix, 0) == 0) {
        std::string wanted;
        for (const char c : allowed.substr(prefix.size()))
            if (c != ':')
                wanted += static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        return wanted == signer.fingerprint;
    }
    if (allowed.find('=') != std::string::npos) // a whole subject; a CN could imitate one
        return allowed == signer.subject;
    for (const int nid : {NID_commonName, NID_organizationName})
        for (const auto& entry : subject_entries(leaf, nid))
            if (entry == allowed)
                return true;
    return false;
}

void judge_signer(std::vector<Finding>& findings, X509* leaf, const Signer& signer,
                  const TrustPolicy& policy) {
    std::string names;
    for (const auto& allowed : policy.signers) {
        if (is_signer(leaf, signer, allowed))
            return;
        names += fmt::format("{}'{}'", names.empty() ? "" : " or ", allowed);
    }
    if (!policy.signers.empty())
        findings.push_back(
            refusal({Reason::certificate_signer,
                     fmt::format("the media are signed by '{}' (sha256:{}), [trust] signer allows {}",
                                 signer.subject, signer.fingerprint, names),
                     "use media of an allowed signer"}));
}

/// A certificate may restrict its use (RFC 5280, 4.2.1.3 and 4.2.1.12). Then it must allow digital signatures
/// and code signing.
void judge_usage(std::vector<Finding>& findings, X509* leaf) {
    const auto flags = X509_get_extension_flags(leaf);
    const auto refuse = [&](const char* why) {
        findings.push_back(
            refusal({Reason::certificate_usage, fmt::format("{} {}", quoted_subject(leaf), why),
                     "ask the vendor for media signed with a certificate for signing"}));
    };
    if ((flags & EXFLAG_INVALID) != 0)
        return refuse("holds invalid extensions");
    if (!is_supported(X509_get0_pubkey(leaf)))
        return refuse("has a key that is neither RSA nor of an elliptic curve");
    if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
        return refuse("is not for digital signatures (key usage)");
    if ((flags & EXFLAG_XKUSAGE) != 0 &&
        (X509_get_extended_key_usage(leaf) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0)
        refuse("is not for code signing (extended key usage)");
}

} // namespace

CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) {
    CertificateVerdict verdict;
    try {
        const auto certificates = parse_certificates(pem, "the .crt");
        auto* leaf = certificates.front().get();
        auto signer = describe(leaf);
        if (signer.subject.size() > subject_limit)
            throw Failure(Reason::certificate_malformed,
                          fmt::format("the subject of the certificate in the .crt has {} characters",
                                      signer.subject.size()),
                          "this is no vendor's certificate; find out where the media come from");
        verdict.signer = std::move(signer);
        judge_usage(verdict.findings, leaf);
        judge_signer(verdict.findings, leaf, *verdict.signer, policy);
        for (auto& finding : judge_chain(certificates, policy))
            verdict.findings.push_back(std::move(finding));
    } catch (const Failure& failure) {
        verdict.findings.push_back(refusal(failure.problem()));
    }
    return verdict;
}

} // namespace um
