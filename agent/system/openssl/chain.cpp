#include "system/openssl/chain.hpp"

#include "base/file.hpp"
#include "base/guarded_path.hpp"
#include "base/time.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

namespace um {
namespace {

void release_stack(STACK_OF(X509) * stack) {
    sk_X509_pop_free(stack, X509_free);
}

using Certificates = Handle<STACK_OF(X509), release_stack>;
using List = Handle<X509_CRL, X509_CRL_free>;
using Store = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;

/// Requires 112 bits of security, SSL_CTX_set_security_level(3): RSA of 2048 bits, elliptic curves of 224.
constexpr int strength = 2;
constexpr std::size_t anchors_limit = 16UL * 1024 * 1024; // bytes; a system's bundle has about 200 KiB

/// Reads a file that decides whom to trust, so only root may be able to change it. Follows links, because
/// systems use them for such files.
std::string read_trusted(const std::string& path, Reason reason, const std::string& hint) {
    try {
        if (const auto fd = open_guarded(path, Links::follow))
            return read_all(fd.get(), anchors_limit, path);
        throw Failure(reason, fmt::format("there is no '{}'", path), hint);
    } catch (const Unguarded& error) {
        throw Failure(reason, error.what(), error.hint());
    } catch (const SystemFailure& error) {
        throw Failure(reason, error.what(), hint);
    }
}

/// The files that hold anchors: the system's bundle, one PEM file, or every *.pem of a directory.
std::vector<std::string> anchor_files(const std::string& anchors) {
    std::error_code error;
    if (anchors == "system") {
        for (const auto* bundle : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
            if (std::filesystem::exists(bundle, error))
                return {bundle};
        throw Failure(Reason::certificate_untrusted, "the system keeps no bundle of trust anchors",
                      "install one, or pin an anchor with [trust] anchors");
    }
    if (!std::filesystem::is_directory(anchors, error))
        return {anchors};
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(anchors, error))
        if (entry.path().extension() == ".pem")
            files.push_back(entry.path().string());
    std::sort(files.begin(), files.end());
    return files;
}

/// Returns the anchors' subjects.
std::vector<std::string> load_anchors(X509_STORE* store, const std::string& anchors) {
    constexpr auto hint =
        "get the vendor's root certificate by a way you trust and put it there as a .pem file";
    const auto files = anchor_files(anchors);
    if (files.empty())
        throw Failure(Reason::certificate_untrusted, fmt::format("no trust anchor is pinned in {}", anchors),
                      hint);
    std::vector<std::string> subjects;
    for (const auto& file : files) {
        const auto text = read_trusted(file, Reason::certificate_untrusted, hint);
        try {
            for (const auto& anchor : parse_certificates(text, fmt::format("the trust anchor '{}'", file))) {
                expect(X509_STORE_add_cert(store, anchor.get()) == 1, "X509_STORE_add_cert");
                subjects.push_back(subject_of(anchor.get()));
            }
        } catch (const Failure& failure) {
            throw Failure(Reason::certificate_untrusted, failure.what(), hint);
        }
    }
    return subjects;
}

/// What the operator pinned, for a message: the mistake is often there.
std::string anchors_text(const std::vector<std::string>& subjects, const std::string& anchors) {
    constexpr std::size_t shown = 3;
    if (anchors == "system")
        return "no anchor of the system vouches for it";
    std::string text = fmt::format("pinned in {}: ", anchors);
    for (std::size_t at = 0; at < std::min(shown, subjects.size()); ++at)
        text += fmt::format("{}'{}'", at == 0 ? "" : ", ", subjects[at].substr(0, subject_limit));
    return subjects.size() > shown ? fmt::format("{} and {} more", text, subjects.size() - shown) : text;
}

void load_revocation(X509_STORE* store, const std::string& path) {
    if (path.empty())
        return;
    constexpr auto hint = "fetch the current list, or remove [trust] crl";
    const auto text = read_trusted(path, Reason::certificate_crl, hint);
    const auto bio = memory_bio(text);
    unsigned count = 0;
    while (const List list{PEM_read_bio_X509_CRL(bio.get(), nullptr, no_password, nullptr)}) {
        expect(X509_STORE_add_crl(store, list.get()) == 1, "X509_STORE_add_crl");
        ++count;
    }
    if (!ended_well() || count == 0)
        throw Failure(Reason::certificate_crl, fmt::format("'{}' holds no revocation list in PEM", path),
                      hint);
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
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
        return Reason::certificate_crl;
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        return Reason::certificate_usage;
    default:
        return Reason::certificate_untrusted;
    }
}

bool is_weak_key(int error) {
    return error == X509_V_ERR_EE_KEY_TOO_SMALL || error == X509_V_ERR_CA_KEY_TOO_SMALL;
}

std::string message_for(int error, X509* certificate) {
    if (is_weak_key(error))
        return fmt::format("{} has a key of {} bits, which is too weak", quoted_subject(certificate),
                           EVP_PKEY_bits(X509_get0_pubkey(certificate)));
    auto message = fmt::format("{}: {}", quoted_subject(certificate), X509_verify_cert_error_string(error));
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        message += fmt::format(" (valid from {} to {}; the machine's clock says {})",
                               time_text(X509_get0_notBefore(certificate)),
                               time_text(X509_get0_notAfter(certificate)),
                               iso8601(std::chrono::system_clock::now()));
    return message;
}

/// No issuer was found for a certificate, or no anchor vouches for the last one. libcrypto reports that with
/// several errors at once.
bool lacks_issuer(int error) {
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
        return true;
    default:
        return false;
    }
}

std::string hint_for(int error, int depth) {
    if (is_weak_key(error) || error == X509_V_ERR_CA_MD_TOO_WEAK)
        return "ask the vendor for media with a certificate of today's strength";
    if (lacks_issuer(error))
        return "pin the vendor's root certificate in [trust] anchors, got by a way you trust, and put "
               "intermediate certificates into the .crt";
    switch (reason_of(error)) {
    case Reason::certificate_expired:
        return depth == 0
                   ? "correct the machine's clock if it is wrong; else ask the vendor for media with a valid "
                     "certificate, or set [trust] expired = accept"
                   : "correct the machine's clock if it is wrong; else ask the vendor for media with valid "
                     "certificates";
    case Reason::certificate_not_yet_valid:
        return "correct the machine's clock if it is wrong; else wait until the certificate is valid";
    case Reason::certificate_revoked:
        return "do not use these media; ask the vendor";
    case Reason::certificate_crl:
        return "fetch the current revocation lists of every issuer in the chain for [trust] crl";
    case Reason::certificate_usage:
        return "ask the vendor for media signed with a certificate for signing";
    default:
        return "the certificate is damaged or forged; download the media again";
    }
}

bool signed_with_sha1(const X509* certificate) {
    int digest = NID_undef;
    return X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr) == 1 &&
           digest == NID_sha1;
}

/// Turns one of libcrypto's objections into a finding. The policy may make it a warning.
Finding chain_finding(int error, int depth, X509* certificate, const TrustPolicy& policy) {
    auto finding = refusal({reason_of(error), message_for(error, certificate), hint_for(error, depth)});
    if (error == X509_V_ERR_CA_MD_TOO_WEAK && signed_with_sha1(certificate)) {
        finding.reason = Reason::digest_weak;
        finding.message = fmt::format("{} is signed with SHA-1", quoted_subject(certificate));
        if (policy.accept_sha1)
            finding.severity = Finding::Severity::warning;
    }
    if (error == X509_V_ERR_CERT_HAS_EXPIRED && depth == 0 && policy.accept_expired) {
        finding.severity = Finding::Severity::warning;
        finding.message += ", accepted by [trust] expired";
    }
    return finding;
}

/// Collects libcrypto's objections while it walks the chain. libcrypto continues after each of them.
struct Objections {
    const TrustPolicy& policy;
    std::string anchors; ///< anchors_text()
    std::vector<Finding> findings{};
    bool without_issuer = false; ///< that is reported already

    void add(const Finding& finding) {
        const auto same = std::find_if(findings.begin(), findings.end(), [&](const Finding& known) {
            return known.reason == finding.reason && known.message == finding.message;
        });
        if (same == findings.end())
            findings.push_back(finding);
    }

    void object(X509_STORE_CTX* context) {
        const int error = X509_STORE_CTX_get_error(context);
        const int depth = X509_STORE_CTX_get_error_depth(context);
        if (lacks_issuer(error) && std::exchange(without_issuer, true))
            return;
        // The operator's pin vouches for the anchor. If the anchor is no root, its issuer is not in the
        // chain, so no list for it can be verified.
        if (reason_of(error) == Reason::certificate_crl &&
            depth == sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1)
            return;
        auto* certificate = X509_STORE_CTX_get_current_cert(context);
        auto finding = chain_finding(
            error, depth, certificate != nullptr ? certificate : X509_STORE_CTX_get0_cert(context), policy);
        if (lacks_issuer(error))
            finding.message += fmt::format(" ({})", anchors);
        add(finding);
    }

    static int hear(int fine, X509_STORE_CTX* context) {
        if (fine == 1)
            return 1;
        try { // no exception may cross libcrypto
            static_cast<Objections*>(X509_STORE_CTX_get_app_data(context))->object(context);
            return 1;
        } catch (...) {
            return 0; // the verification of the chain ends with an error
        }
    }
};

/// Extended key usage narrows from the anchor down: no certificate may do what its issuer may not.
void judge_issuers(Objections& objections, STACK_OF(X509) * chain) {
    for (int at = 1; at < sk_X509_num(chain); ++at) {
        auto* issuer = sk_X509_value(chain, at);
        if ((X509_get_extension_flags(issuer) & EXFLAG_XKUSAGE) != 0 &&
            (X509_get_extended_key_usage(issuer) & (XKU_CODE_SIGN | XKU_ANYEKU)) == 0)
            objections.add(refusal(
                {Reason::certificate_usage,
                 fmt::format("{} is not for issuers of code (extended key usage)", quoted_subject(issuer)),
                 hint_for(X509_V_ERR_INVALID_PURPOSE, at)}));
    }
}

Certificates issuers_of(const std::vector<Certificate>& certificates) {
    Certificates untrusted(sk_X509_new_null());
    expect(untrusted != nullptr, "sk_X509_new_null");
    for (std::size_t at = 1; at < certificates.size(); ++at) {
        X509_up_ref(certificates[at].get());
        expect(sk_X509_push(untrusted.get(), certificates[at].get()) > 0, "sk_X509_push");
    }
    return untrusted;
}

} // namespace

std::string subject_of(const X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    expect(bio != nullptr &&
               X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0,
           "print a certificate's name");
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string quoted_subject(const X509* certificate) {
    auto subject = subject_of(certificate);
    if (subject.size() > subject_limit)
        subject = subject.substr(0, subject_limit) + "…";
    return fmt::format("certificate '{}'", subject);
}

std::string time_text(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return "an unreadable time";
    return iso8601(std::chrono::system_clock::from_time_t(::timegm(&parts)));
}

std::vector<Finding> judge_chain(const std::vector<Certificate>& certificates, const TrustPolicy& policy) {
    const Store store(X509_STORE_new());
    expect(store != nullptr, "X509_STORE_new");
    const auto subjects = load_anchors(store.get(), policy.anchors);
    load_revocation(store.get(), policy.crl);
    // An operator may pin an intermediate certificate, or the signer's certificate itself.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
    const auto untrusted = issuers_of(certificates);
    const StoreContext context(X509_STORE_CTX_new());
    expect(context != nullptr && X509_STORE_CTX_init(context.get(), store.get(), certificates.front().get(),
                                                     untrusted.get()) == 1,
           "X509_STORE_CTX_init");
    X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context.get()), strength);
    Objections objections{policy, anchors_text(subjects, policy.anchors)};
    expect(X509_STORE_CTX_set_app_data(context.get(), &objections) == 1, "X509_STORE_CTX_set_app_data");
    X509_STORE_CTX_set_verify_cb(context.get(), Objections::hear);
    const bool verified = X509_verify_cert(context.get()) == 1;
    ERR_clear_error();
    if (verified)
        judge_issuers(objections, X509_STORE_CTX_get0_chain(context.get()));
    else if (std::none_of(objections.findings.begin(), objections.findings.end(), is_refusal))
        objections.add(chain_finding(X509_V_ERR_UNSPECIFIED, 0, certificates.front().get(), policy));
    return std::move(objections.findings);
}

} // namespace um
