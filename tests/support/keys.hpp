#pragma once
// Keys, certificates, revocation lists and signatures. The openssl program makes them when a test runs, so
// nothing in the repository expires.

#include "support/scratch.hpp"

#include <string>

namespace um::test {

/// A directory of keys and certificates, NAME.key and NAME.crt.
class Keys {
public:
    /// Makes a root ("root"), an intermediate ("middle") and a signer below it ("signer").
    Keys();

    /// Makes a certificate of `subject`, issued by `issuer`. `extensions` are written as in openssl.cnf.
    /// `options` go to `openssl ca` (dates, -md), and `key` goes to `openssl req -newkey`.
    void certificate(const std::string& name, const std::string& subject, const std::string& issuer,
                     const std::string& extensions, const std::string& options = "",
                     const std::string& key = "rsa:2048") const;
    void revoke(const std::string& name, const std::string& issuer) const;
    /// Makes ISSUER.crl and returns its text. It is valid for so many days from now. 0 makes an expired one.
    std::string revocation_list(const std::string& issuer, int days) const;
    /// The raw signature over `message` by NAME.key.
    std::string sign(const std::string& name, const std::string& message, const std::string& digest) const;

    std::string path(const std::string& file) const { return directory / file; }
    std::string pem(const std::string& name) const { return text_of(path(name + ".crt")); }
    /// Runs a command of openssl in the directory. Throws std::runtime_error if the command fails.
    std::string openssl(const std::string& arguments) const;

    Scratch directory{guarded_place};
};

} // namespace um::test
