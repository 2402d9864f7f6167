#pragma once
// SHA-256 of texts and files. libcrypto computes it.

#include "base/fd.hpp"

#include <cstddef>
#include <string>

#include <openssl/evp.h>

namespace um {

/// Lower-case hexadecimal.
std::string hex(const unsigned char* bytes, std::size_t count);

/// A digest that is computed piece by piece. Every function throws SystemFailure when libcrypto fails.
class Sha256 {
public:
    Sha256();
    void add(const char* data, std::size_t size);
    /// Lower-case hexadecimal. Call it once, after the last add().
    std::string end();

private:
    Handle<EVP_MD_CTX, EVP_MD_CTX_free> context_;
};

/// Lower-case hexadecimal. Throws SystemFailure.
std::string sha256_of(const std::string& text);

/// The same for a file's content. A symbolic link is an error. Throws SystemFailure.
std::string sha256_of_file(const std::string& path);

} // namespace um
