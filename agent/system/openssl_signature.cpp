#include "system/openssl_crypto.hpp"

#include "system/openssl_support.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

namespace um {
namespace {

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

DigestAlgorithm OpensslCrypto::verify_signature(const std::string& message, const std::string& signature,
                                                const std::string& pem, const TrustPolicy& policy) {
    const auto certificates = parse_certificates(pem);
    auto* key = X509_get0_pubkey(certificates.front().get());
    if (key == nullptr)
        throw Failure(Reason::certificate_malformed, fmt::format("the key in the .crt: {}", openssl_error()),
                      "download the .crt file again");
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
