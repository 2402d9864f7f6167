#pragma once
// What the files of OpensslCrypto share: libcrypto's objects as RAII, its errors as exceptions.

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

/// The oldest error in libcrypto's queue, which is emptied.
std::string openssl_error();

/// Throws SystemFailure with libcrypto's words unless `fine`.
void expect(bool fine, const char* what);

const EVP_MD* implementation(DigestAlgorithm algorithm);

/// Reads `text`, which must outlive it.
Bio memory_bio(const std::string& text);

/// The password callback for whatever comes in PEM: nobody is asked, at no terminal.
int no_password(char* buffer, int size, int writing, void* data);

/// After the last object of a PEM text: whether there was no more, or something that is damaged, which stays
/// in libcrypto's queue of errors.
bool ended_well();

/// Whether media may be signed with such a key: RSA, RSA-PSS or an elliptic curve. False for none.
bool is_supported(const EVP_PKEY* key);

/// Every certificate of a PEM text, the leaf first; `name` is for messages.
/// Throws Failure (certificate.malformed).
std::vector<Certificate> parse_certificates(const std::string& pem, const std::string& name);

/// The entries of one kind in the subject, as UTF-8: NID_commonName for example.
std::vector<std::string> subject_entries(const X509* certificate, int nid);

} // namespace um
