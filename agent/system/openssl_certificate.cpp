#include "system/openssl_crypto.hpp"

#include "confirmation.hpp"
#include "system/openssl_support.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

namespace um {
namespace {

void release_stack(STACK_OF(X509) * stack) {
    sk_X509_pop_free(stack, X509_free);
}

using Bio = Handle<BIO, BIO_free_all>;
using Certificates = Handle<STACK_OF(X509), release_stack>;
using Store = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

std::string rfc2253(const X509_NAME* name) {
    const Bio bio(BIO_new(BIO_s_mem()));
    expect(bio != nullptr &&
               X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0,
           "print a certificate's name");
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string time_text(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return "an unreadable time";
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string fingerprint(const X509* certificate) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    expect(X509_digest(certificate, EVP_sha256(), bytes, &size) == 1, "digest a certificate");
    return hex(bytes, size);
}

Signer describe(X509* certificate) {
    return {rfc2253(X509_get_subject_name(certificate)), fingerprint(certificate),
            time_text(X509_get0_notBefore(certificate)), time_text(X509_get0_notAfter(certificate))};
}

std::vector<std::string> subject_entries(X509* certificate, int nid) {
    std::vector<std::string> entries;
    const auto* name = X509_get_subject_name(certificate);
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;) {
        unsigned char* text = nullptr;
        const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
        if (size >= 0)
            entries.emplace_back(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
        OPENSSL_free(text);
    }
    return entries;
}

bool signer_allowed(X509* leaf, const std::string& allowed) {
    constexpr std::string_view prefix = "sha256:";
    if (allowed.rfind(prefix, 0) == 0) {
        std::string wanted;
        for (const char c : allowed.substr(prefix.size()))
            if (c != ':')
                wanted += static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        return wanted == fingerprint(leaf);
    }
    for (const int nid : {NID_commonName, NID_organizationName})
        for (const auto& entry : subject_entries(leaf, nid))
            if (entry == allowed)
                return true;
    return false;
}

/// The files that hold anchors: one PEM file, or every *.pem of a directory.
std::vector<std::string> anchor_files(const std::string& anchors) {
    std::error_code error;
    if (!std::filesystem::is_directory(anchors, error))
        return {anchors};
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(anchors, error))
        if (entry.path().extension() == ".pem")
            files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

void load_anchors(X509_STORE* store, const std::string& anchors) {
    if (anchors == "system") {
        for (const auto* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
            if (X509_STORE_load_locations(store, bundle, nullptr) == 1)
                return;
        throw Failure(Reason::certificate_untrusted, "the system keeps no bundle of trust anchors",
                      "install one, or pin an anchor with [trust] anchors");
    }
    const auto files = anchor_files(anchors);
    if (files.empty())
        throw Failure(Reason::certificate_untrusted, fmt::format("no trust anchor is pinned in {}", anchors),
                      "get the vendor's root certificate by a way you trust and put it there as a .pem file");
    for (const auto& file : files)
        if (X509_STORE_load_locations(store, file.c_str(), nullptr) != 1)
            throw Failure(Reason::certificate_untrusted,
                          fmt::format("the trust anchor '{}' cannot be read: {}", file, openssl_error()),
                          "put a certificate in PEM there");
}

void load_revocation(X509_STORE* store, const std::string& crl) {
    if (crl.empty())
        return;
    auto* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == nullptr || X509_load_crl_file(lookup, crl.c_str(), X509_FILETYPE_PEM) <= 0)
        throw Failure(Reason::certificate_crl,
                      fmt::format("the revocation list '{}' cannot be read: {}", crl, openssl_error()),
                      "fetch the current list, or remove [trust] crl");
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

Reason reason_of(int error) {
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return Reason::certificate_expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return Reason::certificate_not_yet_valid;
    case X509_V_ERR_CERT_REVOKED:
        return Reason::certificate_revoked;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
        return Reason::certificate_crl;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return Reason::certificate_usage;
    default:
        return Reason::certificate_untrusted;
    }
}

std::string hint_for(Reason reason) {
    switch (reason) {
    case Reason::certificate_expired:
    case Reason::certificate_not_yet_valid:
        return "correct the machine's clock if it is wrong; else ask the vendor for media with a valid "
               "certificate, or "
               "set [trust] expired = accept";
    case Reason::certificate_revoked:
        return "do not use these media; ask the vendor";
    case Reason::certificate_crl:
        return "fetch the current revocation lists for [trust] crl";
    default:
        return "pin the vendor's root certificate in [trust] anchors, got by a way you trust, and put "
               "intermediate "
               "certificates into the .crt";
    }
}

Finding chain_finding(int error, X509* certificate) {
    const auto reason = reason_of(error);
    auto message = fmt::format("certificate '{}': {}", rfc2253(X509_get_subject_name(certificate)),
                               X509_verify_cert_error_string(error));
    if (reason == Reason::certificate_expired || reason == Reason::certificate_not_yet_valid)
        message += fmt::format(" (valid from {} to {}; the machine's clock says {})",
                               time_text(X509_get0_notBefore(certificate)),
                               time_text(X509_get0_notAfter(certificate)),
                               iso8601(std::chrono::system_clock::now()));
    return {Finding::Severity::refusal, reason, message, hint_for(reason)};
}

/// Lets a leaf past its end pass when the policy accepts that: the one thing the callback decides.
int accept_expired_leaf(int fine, X509_STORE_CTX* context) {
    const bool expired_leaf = X509_STORE_CTX_get_error(context) == X509_V_ERR_CERT_HAS_EXPIRED &&
                              X509_STORE_CTX_get_error_depth(context) == 0;
    return fine == 1 || expired_leaf ? 1 : 0;
}

void judge_chain(std::vector<Finding>& findings, const std::vector<Certificate>& certificates,
                 const TrustPolicy& policy) {
    const Store store(X509_STORE_new());
    expect(store != nullptr, "X509_STORE_new");
    load_anchors(store.get(), policy.anchors);
    load_revocation(store.get(), policy.crl);
    // An operator may pin an intermediate, or the signer's certificate itself.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    const Certificates untrusted(sk_X509_new_null());
    expect(untrusted != nullptr, "sk_X509_new_null");
    for (std::size_t i = 1; i < certificates.size(); ++i) {
        X509_up_ref(certificates[i].get());
        expect(sk_X509_push(untrusted.get(), certificates[i].get()) > 0, "sk_X509_push");
    }
    const StoreContext context(X509_STORE_CTX_new());
    expect(context != nullptr && X509_STORE_CTX_init(context.get(), store.get(), certificates.front().get(),
                                                     untrusted.get()) == 1,
           "X509_STORE_CTX_init");
    if (policy.accept_expired)
        X509_STORE_CTX_set_verify_cb(context.get(), accept_expired_leaf);
    if (X509_verify_cert(context.get()) == 1)
        return;
    const int error = X509_STORE_CTX_get_error(context.get());
    auto* at = X509_STORE_CTX_get_current_cert(context.get());
    findings.push_back(chain_finding(error, at != nullptr ? at : certificates.front().get()));
    ERR_clear_error();
}

void judge_usage(std::vector<Finding>& findings, X509* leaf) {
    const auto flags = X509_get_extension_flags(leaf);
    const auto refuse = [&](const std::string& why) {
        findings.push_back({Finding::Severity::refusal, Reason::certificate_usage,
                            fmt::format("certificate '{}' {}", rfc2253(X509_get_subject_name(leaf)), why),
                            "ask the vendor for media signed with a certificate for signing"});
    };
    if ((flags & EXFLAG_INVALID) != 0)
        refuse("holds invalid extensions");
    if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
        refuse("is not for digital signatures (key usage)");
    if ((flags & EXFLAG_XKUSAGE) != 0 &&
        (X509_get_extended_key_usage(leaf) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0)
        refuse("is not for code signing (extended key usage)");
}

} // namespace

CertificateVerdict OpensslCrypto::judge_certificate(const std::string& pem, const TrustPolicy& policy) {
    CertificateVerdict verdict;
    try {
        const auto certificates = parse_certificates(pem);
        auto* leaf = certificates.front().get();
        verdict.signer = describe(leaf);
        judge_usage(verdict.findings, leaf);
        if (!policy.signer.empty() && !signer_allowed(leaf, policy.signer))
            verdict.findings.push_back(
                {Finding::Severity::refusal, Reason::certificate_signer,
                 fmt::format("the media are signed by '{}' (sha256:{}), [trust] signer allows '{}'",
                             verdict.signer->subject, verdict.signer->fingerprint, policy.signer),
                 "use media of the allowed signer"});
        judge_chain(verdict.findings, certificates, policy);
    } catch (const Failure& failure) {
        verdict.findings.push_back(failure.finding());
    }
    return verdict;
}

} // namespace um
