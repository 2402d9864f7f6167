#include "system/openssl_crypto.hpp"

#include "confirmation.hpp"
#include "system/termination.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>
#include <unistd.h>

namespace um {
namespace {

constexpr std::size_t chunk_size = 1024 * 1024;

void release_stack(STACK_OF(X509) * stack) {
    sk_X509_pop_free(stack, X509_free);
}

using Bio = Handle<BIO, BIO_free_all>;
using Certificate = Handle<X509, X509_free>;
using Certificates = Handle<STACK_OF(X509), release_stack>;
using Store = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

/// The oldest error in libcrypto's queue, which is emptied.
std::string openssl_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
    return reason != nullptr ? reason : "unknown error of libcrypto";
}

void expect(bool fine, const char* what) {
    if (!fine)
        throw SystemFailure(fmt::format("{}: {}", what, openssl_error()));
}

const EVP_MD* implementation(DigestAlgorithm algorithm) {
    switch (algorithm) {
    case DigestAlgorithm::sha1:
        return EVP_sha1();
    case DigestAlgorithm::sha256:
        return EVP_sha256();
    case DigestAlgorithm::sha384:
        return EVP_sha384();
    case DigestAlgorithm::sha512:
        break;
    }
    return EVP_sha512();
}

std::string hex(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += fmt::format("{:02x}", bytes[i]);
    return text;
}

Bio memory(const std::string& text) {
    Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    expect(bio != nullptr, "BIO_new_mem_buf");
    return bio;
}

Failure malformed_certificate(const std::string& why) {
    return {Reason::certificate_malformed, fmt::format("the .crt holds no certificate in PEM: {}", why),
            "download the .crt file again"};
}

/// Every certificate of a PEM text, the leaf first.
std::vector<Certificate> parse_certificates(const std::string& pem) {
    std::vector<Certificate> result;
    const auto bio = memory(pem);
    while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
        result.emplace_back(certificate);
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (result.empty() || !at_end)
        throw malformed_certificate(openssl_error());
    ERR_clear_error();
    return result;
}

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

bool verifies(EVP_PKEY* key, DigestAlgorithm algorithm, const std::string& message,
              const std::string& signature) {
    const DigestContext context(EVP_MD_CTX_new());
    expect(context != nullptr, "EVP_MD_CTX_new");
    if (EVP_DigestVerifyInit(context.get(), nullptr, implementation(algorithm), nullptr, key) != 1)
        return false;
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    const bool fine =
        EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), bytes, message.size()) == 1;
    ERR_clear_error();
    return fine;
}

} // namespace

OpensslCrypto::OpensslCrypto() {
    // The machine's openssl.cnf belongs to another libcrypto than the one inside this program.
    expect(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr) == 1,
           "OPENSSL_init_crypto");
}

Digests OpensslCrypto::digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                              const OnProgress& on_progress) {
    std::vector<std::pair<DigestAlgorithm, DigestContext>> contexts;
    for (const auto algorithm : algorithms) {
        DigestContext context(EVP_MD_CTX_new());
        expect(context != nullptr &&
                   EVP_DigestInit_ex(context.get(), implementation(algorithm), nullptr) == 1,
               "EVP_DigestInit_ex");
        contexts.emplace_back(algorithm, std::move(context));
    }
    std::vector<unsigned char> buffer(chunk_size);
    for (std::uint64_t done = 0; done < media.size;) {
        check_termination();
        const auto wanted = std::min<std::uint64_t>(buffer.size(), media.size - done);
        const auto got = ::pread(media.fd.get(), buffer.data(), wanted, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            throw Failure(got == 0 ? Reason::media_changed : Reason::media_unreadable,
                          fmt::format("read '{}' at byte {}: {}", media.path, done,
                                      got == 0 ? "it ends early" : std::strerror(errno)),
                          "copy or attach the ISO again");
        for (const auto& [algorithm, context] : contexts)
            expect(EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(got)) == 1,
                   "EVP_DigestUpdate");
        done += static_cast<std::uint64_t>(got);
        on_progress(done, media.size);
    }
    Digests digests;
    for (const auto& [algorithm, context] : contexts) {
        unsigned char bytes[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        expect(EVP_DigestFinal_ex(context.get(), bytes, &size) == 1, "EVP_DigestFinal_ex");
        digests[algorithm] = hex(bytes, size);
    }
    return digests;
}

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

DigestAlgorithm OpensslCrypto::verify_signature(const std::string& message, const std::string& signature,
                                                const std::string& pem, const TrustPolicy& policy) {
    const auto certificates = parse_certificates(pem);
    auto* key = X509_get0_pubkey(certificates.front().get());
    if (key == nullptr)
        throw malformed_certificate(openssl_error());
    // RSA PKCS#1 v1.5 signatures are as long as the key's modulus.
    if (EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
        signature.size() != static_cast<std::size_t>(EVP_PKEY_size(key)))
        throw Failure(Reason::signature_malformed,
                      fmt::format("the .sign holds {} bytes; a signature by this key has {}",
                                  signature.size(), EVP_PKEY_size(key)),
                      "download the .sign file again, as a binary file");
    for (const auto algorithm :
         {DigestAlgorithm::sha256, DigestAlgorithm::sha1, DigestAlgorithm::sha384, DigestAlgorithm::sha512}) {
        if (!verifies(key, algorithm, message, signature))
            continue;
        if (algorithm == DigestAlgorithm::sha1 && !policy.accept_sha1)
            throw Failure(Reason::digest_weak, "the manifest is signed with SHA-1, and [trust] sha1 = refuse",
                          "ask the vendor for media signed with SHA-256");
        return algorithm;
    }
    throw Failure(Reason::signature_mismatch, "the .sign is no signature over the .mf by the key in the .crt",
                  "the sidecars do not belong together or were changed; download all of them again");
}

} // namespace um
