#include "system/openssl/support.hpp"

#include "base/failure.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace um {

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

Bio memory_bio(const std::string& text) {
    Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    expect(bio != nullptr, "BIO_new_mem_buf");
    return bio;
}

int no_password(char*, int, int, void*) {
    return -1;
}

bool ended_well() {
    const auto error = ERR_peek_last_error();
    const bool well = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    if (well)
        ERR_clear_error();
    return well;
}

bool is_supported(const EVP_PKEY* key) {
    const int type = key != nullptr ? EVP_PKEY_base_id(key) : NID_undef;
    return type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS || type == EVP_PKEY_EC;
}

std::vector<Certificate> parse_certificates(const std::string& pem, const std::string& name) {
    constexpr std::size_t limit = 1000; // for a system's bundle; media bring a handful
    std::vector<Certificate> result;
    const auto bio = memory_bio(pem);
    while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
        result.emplace_back(certificate);
        if (result.size() > limit)
            break;
    }
    if (!result.empty() && result.size() <= limit && ended_well())
        return result;
    const bool der = !pem.empty() && pem.front() == '\x30';
    throw Failure(Reason::certificate_malformed,
                  fmt::format("{} holds no certificate in PEM: {}", name,
                              der                     ? "it seems to be DER"
                              : result.size() > limit ? "there are too many"
                                                      : openssl_error()),
                  der ? "convert it with 'openssl x509 -inform der'"
                      : "get it again from where it came from");
}

std::vector<std::string> subject_entries(const X509* certificate, int nid) {
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

} // namespace um
