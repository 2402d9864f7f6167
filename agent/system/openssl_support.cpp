#include "system/openssl_support.hpp"

#include "failure.hpp"

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

std::string hex(const unsigned char* bytes, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += fmt::format("{:02x}", bytes[i]);
    return text;
}

std::vector<Certificate> parse_certificates(const std::string& pem) {
    std::vector<Certificate> result;
    const Handle<BIO, BIO_free_all> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    expect(bio != nullptr, "BIO_new_mem_buf");
    while (auto* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr))
        result.emplace_back(certificate);
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (result.empty() || !at_end)
        throw Failure(Reason::certificate_malformed,
                      fmt::format("the .crt holds no certificate in PEM: {}", openssl_error()),
                      "download the .crt file again");
    ERR_clear_error();
    return result;
}

} // namespace um
