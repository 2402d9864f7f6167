#include "system/openssl/crypto.hpp"

#include "system/openssl/certificate.hpp"
#include "system/openssl/digest.hpp"
#include "system/openssl/served.hpp"
#include "system/openssl/signature.hpp"
#include "system/openssl/support.hpp"

#include <openssl/crypto.h>

namespace um {

OpensslCrypto::OpensslCrypto() {
    // The machine's openssl.cnf is for another libcrypto than the one inside this program.
    expect(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr) == 1,
           "OPENSSL_init_crypto");
}

Digests OpensslCrypto::digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                              const OnProgress& on_progress) {
    return digest_media(media, algorithms, on_progress);
}

CertificateVerdict OpensslCrypto::judge_certificate(const std::string& pem, const TrustPolicy& policy) {
    return um::judge_certificate(pem, policy);
}

DigestAlgorithm OpensslCrypto::verify_signature(const std::string& message, const std::string& signature,
                                                const std::string& pem, const TrustPolicy& policy) {
    return um::verify_signature(message, signature, pem, policy);
}

CertificateNames OpensslCrypto::certificate_names(const std::string& where, const std::string& host_name) {
    return um::certificate_names(where, host_name);
}

} // namespace um
