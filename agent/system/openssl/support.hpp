#pragma once
// What the files of OpensslCrypto share: libcrypto's objects with RAII, and its errors as exceptions.

#include "base/digest.hpp"
#include "base/fd.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

namespace um {

using Bio = Handle<BIO, BIO_free_all>;
using Certificate = Handle<X509, X509_free>;
using DigestContext = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

/// The oldest error in libcrypto's queue. Empties the queue.
std::string openssl_error();

/// Throws SystemFailure with the oldest error of libcrypto unless `fine`.
void expect(bool fine, const char* what);

const EVP_MD* implementation(DigestAlgorithm algorithm);

/// A BIO that reads `text`, which must outlive it. Throws SystemFailure.
Bio memory_bio(const std::string& text);

/// The password callback for PEM. It refuses, so that libcrypto never asks at the terminal.
int no_password(char* buffer, int size, int writing, void* data);

/// Call it after the last object of a PEM text. True if the text was over. False if something damaged
/// follows; then the error stays in libcrypto's queue.
bool ended_well();

/// Whether media may be signed with such a key: RSA, RSA-PSS or an elliptic curve. False for null.
bool is_supported(const EVP_PKEY* key);

/// Every certificate of a PEM text, the leaf first. `name` is for messages.
/// Throws Failure (certificate.malformed).
std::vector<Certificate> parse_certificates(const std::string& pem, const std::string& name);

/// The entries of one kind in the subject, as UTF-8. `nid`: NID_commonName, for example.
std::vector<std::string> subject_entries(const X509* certificate, int nid);

} // namespace um
