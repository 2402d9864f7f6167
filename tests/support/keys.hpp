#pragma once
// Keys, certificates, lists and signatures, made by the openssl program when a test runs: nothing in the
// repository expires.

#include "support/scratch.hpp"

#include <string>

namespace um::test {

/// A directory of keys and certificates, NAME.key and NAME.crt.
class Keys {
public:
    /// Makes a root ("root"), an intermediate ("middle") and a signer below it ("signer").
    Keys();

    /// A certificate of `subject` by `issuer`; `extensions` as openssl.cnf has them; `options` go to
    /// `openssl ca` (dates, -md), `key` to `openssl req -newkey`.
    void certificate(const std::string& name, const std::string& subject, const std::string& issuer,
                     const std::string& extensions, const std::string& options = "",
                     const std::string& key = "rsa:2048") const;
    void revoke(const std::string& name, const std::string& issuer) const;
    /// NAME.crl by `issuer`, valid so many days from now (it may be over).
    std::string revocation_list(const std::string& issuer, int days) const;
    /// The raw signature over `message` by NAME's key.
    std::string sign(const std::string& name, const std::string& message, const std::string& digest) const;

    std::string path(const std::string& file) const { return directory / file; }
    std::string pem(const std::string& name) const { return text_of(path(name + ".crt")); }
    /// Runs a command in the directory; fails the program when it fails.
    std::string openssl(const std::string& arguments) const;

    Scratch directory{guarded_place};
};

} // namespace um::test
