#pragma once
// What the files of OpensslCrypto share: libcrypto's objects as RAII, its errors as exceptions.

#include "system/fd.hpp"
#include "upgrade/manifest.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

namespace um {

using Certificate = Handle<X509, X509_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

/// The oldest error in libcrypto's queue, which is emptied.
std::string openssl_error();

/// Throws SystemFailure with libcrypto's words unless `fine`.
void expect(bool fine, const char* what);

const EVP_MD* implementation(DigestAlgorithm algorithm);

/// Lower-case hexadecimal.
std::string hex(const unsigned char* bytes, std::size_t count);

/// Every certificate of a PEM text, the leaf first. Throws Failure (certificate.malformed).
std::vector<Certificate> parse_certificates(const std::string& pem);

} // namespace um
