#include "system/openssl/signature.hpp"

#include "system/openssl/support.hpp"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

namespace um {
namespace {

using EcdsaSignature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

/// How RSA pads a digest. The vendor's media use PKCS#1 v1.5.
enum class Padding { of_the_key, pkcs1, pss };

bool pad(EVP_PKEY_CTX* parameters, Padding padding) {
    switch (padding) {
    case Padding::of_the_key:
        return true;
    case Padding::pkcs1:
        return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1;
    case Padding::pss:
        break;
    }
    return EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_AUTO) == 1;
}

bool verifies(EVP_PKEY* key, DigestAlgorithm algorithm, Padding padding, const std::string& message,
              const std::string& signature) {
    const DigestContext context(EVP_MD_CTX_new());
    expect(context != nullptr, "EVP_MD_CTX_new");
    EVP_PKEY_CTX* parameters = nullptr; // the digest context owns them
    const bool fine =
        EVP_DigestVerifyInit(context.get(), &parameters, implementation(algorithm), nullptr, key) == 1 &&
        pad(parameters, padding) &&
        EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                         message.size()) == 1;
    ERR_clear_error();
    return fine;
}

[[noreturn]] void malformed(const std::string& message) {
    throw Failure(Reason::signature_malformed, message, "download the .sign file again, as a binary file");
}

/// An RSA signature is as long as the key's modulus. One line feed after it is accepted, because the command
/// of the procedure accepts it: openssl-dgst(1) reads no further.
void expect_rsa(EVP_PKEY* key, std::string& signature) {
    const auto size = static_cast<std::size_t>(EVP_PKEY_size(key));
    if (signature.size() == size + 1 && signature.back() == '\n')
        signature.pop_back();
    if (signature.size() != size)
        malformed(
            fmt::format("the .sign holds {} bytes; a signature by this key has {}", signature.size(), size));
}

/// An ECDSA signature is two numbers in DER, with nothing after them.
void expect_ecdsa(const std::string& signature) {
    const auto* at = reinterpret_cast<const unsigned char*>(signature.data());
    const auto* end = at + signature.size();
    const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(signature.size())));
    ERR_clear_error();
    if (!parsed || at != end)
        malformed("the .sign holds no ECDSA signature, which the key in the .crt would make");
}

std::vector<Padding> paddings_of(EVP_PKEY* key, std::string& signature) {
    switch (EVP_PKEY_base_id(key)) {
    case EVP_PKEY_RSA:
        expect_rsa(key, signature);
        return {Padding::pkcs1, Padding::pss};
    case EVP_PKEY_RSA_PSS:
        expect_rsa(key, signature);
        return {Padding::of_the_key};
    default:
        expect_ecdsa(signature);
        return {Padding::of_the_key};
    }
}

} // namespace

DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                 const std::string& pem, const TrustPolicy& policy) {
    const auto certificates = parse_certificates(pem, "the .crt");
    auto* key = X509_get0_pubkey(certificates.front().get());
    if (!is_supported(key))
        throw Failure(Reason::certificate_usage,
                      "the key in the .crt is neither RSA nor of an elliptic curve",
                      "ask the vendor for media signed with such a key");
    auto bytes = signature;
    for (const auto padding : paddings_of(key, bytes)) {
        for (const auto algorithm : {DigestAlgorithm::sha256, DigestAlgorithm::sha1, DigestAlgorithm::sha384,
                                     DigestAlgorithm::sha512}) {
            if (!verifies(key, algorithm, padding, message, bytes))
                continue;
            if (algorithm == DigestAlgorithm::sha1 && !policy.accept_sha1)
                throw Failure(Reason::digest_weak,
                              "the manifest is signed with SHA-1, and [trust] sha1 = refuse",
                              "ask the vendor for media signed with SHA-256");
            return algorithm;
        }
    }
    throw Failure(Reason::signature_mismatch, "the .sign is no signature over the .mf by the key in the .crt",
                  "the sidecars do not belong together or were changed; download all of them again");
}

} // namespace um
