// The tamper table: chains, dates, revocation, usage, signers and keys.

#include "adapters/tampering.hpp"

namespace um::test {
namespace {

constexpr auto elliptic = "ec -pkeyopt ec_paramgen_curve:P-256";
constexpr auto a_year = "-days 365";
constexpr auto long_ago = "-startdate 20200101000000Z -enddate 20210101000000Z";
constexpr auto far_ahead = "-startdate 20900101000000Z -enddate 20910101000000Z";
constexpr auto code_signing =
    "basicConstraints = CA:false\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = codeSigning\n";
constexpr auto authority = "basicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign\n";

/// Whatever certificates can be wrong in. Each name here is the fault of the certificate.
struct TamperKeys : Keys {
    TamperKeys() {
        leaf("next-signer", "middle", code_signing, a_year, "rsa:2048");
        leaf("expired", "middle", code_signing, long_ago);
        leaf("future", "middle", code_signing, far_ahead);
        leaf("server", "middle",
             "basicConstraints = CA:false\nkeyUsage = digitalSignature\nextendedKeyUsage = serverAuth\n");
        leaf("cipher", "middle", "basicConstraints = CA:false\nkeyUsage = keyEncipherment\n", a_year,
             "rsa:2048");
        leaf("plain", "middle", "basicConstraints = CA:false\n");
        leaf("below-leaf", "signer", code_signing);
        leaf("unknown-extension", "middle",
             std::string(code_signing) + "1.2.3.4 = critical,ASN1:UTF8String:whatever\n");
        leaf("revoked", "middle", code_signing);
        make_branches();
        make_weak();
        make_strangers();
        make_lists();
    }

private:
    void leaf(const std::string& name, const std::string& issuer, const std::string& extensions,
              const std::string& options = a_year, const std::string& key = elliptic) const {
        certificate(name, "/O=Vendor, Inc./CN=" + name, issuer, extensions, options, key);
    }

    /// An intermediate and a signer below it.
    void branch(const std::string& name, const std::string& extensions, const std::string& options = a_year,
                const std::string& key = elliptic) const {
        leaf(name, "root", extensions, options, key);
        leaf("below-" + name, name, code_signing);
    }

    void make_branches() const {
        branch("old-middle", authority, long_ago);
        branch("future-middle", authority, far_ahead);
        branch("server-middle", std::string(authority) + "extendedKeyUsage = serverAuth\n");
        branch("code-middle", std::string(authority) + "extendedKeyUsage = codeSigning\n");
        branch("revoked-middle", authority);
        branch("last-middle", "basicConstraints = critical,CA:true,pathlen:0\nkeyUsage = keyCertSign\n");
        certificate("too-deep", "/CN=too deep", "last-middle", authority, a_year, elliptic);
        leaf("below-too-deep", "too-deep", code_signing);
    }

    void make_weak() const {
        leaf("rsa-1024", "middle", code_signing, a_year, "rsa:1024");
        leaf("rsa-1536", "middle", code_signing, a_year, "rsa:1536");
        leaf("rsa-3072", "middle", code_signing, a_year, "rsa:3072");
        leaf("p-192", "middle", code_signing, a_year, "ec -pkeyopt ec_paramgen_curve:prime192v1");
        leaf("p-256", "middle", code_signing);
        leaf("p-384", "middle", code_signing, a_year, "ec -pkeyopt ec_paramgen_curve:P-384");
        leaf("ed25519", "middle", code_signing, a_year, "ed25519");
        branch("rsa-1024-middle", authority, a_year, "rsa:1024");
        leaf("md5-signed", "middle", code_signing, "-days 365 -md md5");
        leaf("sha1-signed", "middle", code_signing, "-days 365 -md sha1");
        branch("sha1-signed-middle", authority, "-days 365 -md sha1");
    }

    void make_strangers() const {
        self_signed("stranger", "/CN=Stranger");
        self_signed("other-root", "/O=Vendor/CN=Vendor Root"); // of the same name
        certificate("other-middle", "/O=Vendor/CN=Vendor Middle", "other-root", authority, a_year, elliptic);
        certificate("other-signer", "/C=US/O=Vendor, Inc./CN=Vendor Signer", "other-middle", code_signing,
                    a_year, elliptic);
    }

    void self_signed(const std::string& name, const std::string& subject) const {
        openssl("req -x509 -newkey " + std::string(elliptic) + " -nodes -keyout " + name + ".key -out " +
                name + ".crt -days 30 -subj '" + subject + "'");
    }

    void make_lists() const {
        revoke("revoked", "middle");
        revoke("revoked-middle", "root");
        const auto root = revocation_list("root", 30);
        const auto middle = revocation_list("middle", 30);
        directory.file("all.list", root + middle + revocation_list("revoked-middle", 30));
        directory.file("without-middle.list", root);
        directory.file("stale.list", root + revocation_list("middle", 0));
        directory.file("forged.list", revocation_list("other-root", 30) + middle);
        directory.file("garbage.list", "garbage");
    }
};

std::function<void(Media&)> signed_by(const std::string& key) {
    return [key](Media& media) { media.signer(key); };
}

/// Signed by the first of the certificates, which all come with the media.
std::function<void(Media&)> chain(const std::vector<std::string>& names) {
    return [names](Media& media) {
        media.signer(names.front());
        media.bundle(names);
    };
}

/// As a weak key is refused where openssl is told the level.
std::function<void(Media&)> at_level(int level, const std::vector<std::string>& names) {
    return [level, names](Media& media) {
        chain(names)(media);
        media.verify_options = "-auth_level " + std::to_string(level);
    };
}

std::function<void(Media&)> pinned(const std::string& anchor, const std::vector<std::string>& names) {
    return [anchor, names](Media& media) {
        chain(names)(media);
        media.config.trust.anchors = tamper_keys().path(anchor + ".crt");
        media.verify_options = "-partial_chain";
    };
}

std::function<void(Media&)> listed(const std::string& list, const std::vector<std::string>& names) {
    return [list, names](Media& media) {
        chain(names)(media);
        media.config.trust.crl = tamper_keys().path(list + ".list");
    };
}

std::function<void(Media&)> allowed(const std::string& signer) {
    return [signer](Media& media) { media.config.trust.signer = signer; };
}

/// The .crt as some command of openssl writes it.
std::function<void(Media&)> rewritten(const std::string& command) {
    return [command](Media& media) {
        const auto result = shell("cd '" + media.directory.path() + "' && mv *.crt old && " + command +
                                  " > " + media.stem + ".crt && chmod 0600 *.crt");
        if (result.status != 0)
            throw std::runtime_error(command + ": " + result.output);
    };
}

std::string fingerprint(const std::string& name) {
    const auto text = tamper_keys().openssl("x509 -in " + name + ".crt -noout -fingerprint -sha256");
    return "sha256:" + text.substr(text.find('=') + 1, 95);
}

const auto looks_at_no_usage = blind("openssl verify looks at no usage unless it is told a purpose");
const auto asks_for_no_name = blind("openssl verify asks for no name");

std::vector<TamperCase> chains() {
    return {
        {"The certificate is signed by itself", chain({"stranger"}), "certificate.untrusted"},
        {"The certificate is below another root of the same name", chain({"other-signer", "other-middle"}),
         "certificate.untrusted"},
        {"The certificate comes with another root of the same name",
         chain({"other-signer", "other-middle", "other-root"}), "certificate.untrusted"},
        {"The certificate has the genuine one's name and comes with the genuine intermediate",
         chain({"other-signer", "middle"}), "certificate.untrusted"},
        {"The intermediate is missing", chain({"signer"}), "certificate.untrusted"},
        {"The intermediate is another one", chain({"signer", "code-middle"}), "certificate.untrusted"},
        {"A signer's certificate is used to issue another", chain({"below-leaf", "signer", "middle"}),
         "certificate.untrusted certificate.usage?"},
        {"The chain is longer than its intermediate allows",
         chain({"below-too-deep", "too-deep", "last-middle"}), "certificate.untrusted"},
        {"The certificate has a critical extension that nobody knows", signed_by("unknown-extension"),
         "certificate.untrusted"},
        {"A stranger's certificate stands before the genuine one", chain({"stranger", "signer", "middle"}),
         "certificate.untrusted"},
        {"The intermediate stands before the signer's certificate",
         [](Media& media) {
             media.bundle({"middle", "signer"});
         },
         "signature.mismatch certificate.usage"},
        {"The certificate is pinned itself", pinned("signer", {"signer"}), "", {}, "digest.weak"},
        {"The intermediate is pinned", pinned("middle", {"signer"}), "", {}, "digest.weak"},
        {"Another signer's certificate is pinned", pinned("next-signer", {"signer", "middle"}),
         "certificate.untrusted"},
        {"The root comes with the media", chain({"signer", "middle", "root"}), "", {}, "digest.weak"},
        {"Certificates come with the media that nobody needs",
         chain({"signer", "stranger", "middle", "server"}),
         "",
         {},
         "digest.weak"},
    };
}

std::vector<TamperCase> dates() {
    const auto accept_expired = [](const std::vector<std::string>& names) {
        return [names](Media& media) {
            chain(names)(media);
            media.config.trust.expired = Policy::accept;
        };
    };
    return {
        {"The certificate has expired", signed_by("expired"), "certificate.expired"},
        {"The certificate is not yet valid", signed_by("future"), "certificate.not-yet-valid"},
        {"The intermediate has expired", chain({"below-old-middle", "old-middle"}), "certificate.expired"},
        {"The intermediate is not yet valid", chain({"below-future-middle", "future-middle"}),
         "certificate.not-yet-valid"},
        {"The certificate has expired, which the policy accepts", accept_expired({"expired", "middle"}), "",
         stricter("openssl verify knows no such policy"), "digest.weak certificate.expired"},
        {"The intermediate has expired, which no policy accepts",
         accept_expired({"below-old-middle", "old-middle"}), "certificate.expired"},
        {"The certificate is not yet valid, which no policy accepts", accept_expired({"future", "middle"}),
         "certificate.not-yet-valid"},
    };
}

std::vector<TamperCase> revocations() {
    return {
        {"The certificate is on no list", listed("all", {"signer", "middle"}), "", {}, "digest.weak"},
        {"The certificate is revoked", listed("all", {"revoked", "middle"}), "certificate.revoked"},
        {"The intermediate is revoked", listed("all", {"below-revoked-middle", "revoked-middle"}),
         "certificate.revoked"},
        {"The intermediate's list is missing", listed("without-middle", {"signer", "middle"}),
         "certificate.crl"},
        {"The intermediate's list is stale", listed("stale", {"signer", "middle"}), "certificate.crl"},
        {"The root's list is forged", listed("forged", {"signer", "middle"}), "certificate.crl"},
        {"The lists cannot be read", listed("garbage", {"signer", "middle"}), "certificate.crl"},
        {"There are no lists where they should be", listed("missing", {"signer", "middle"}),
         "certificate.crl"},
    };
}

std::vector<TamperCase> purposes() {
    return {
        {"The certificate is a server's", signed_by("server"), "certificate.usage", looks_at_no_usage},
        {"The certificate is for encryption", signed_by("cipher"), "certificate.usage", looks_at_no_usage},
        {"The intermediate is for servers", chain({"below-server-middle", "server-middle"}),
         "certificate.usage", looks_at_no_usage},
        {"The intermediate is for code signing",
         chain({"below-code-middle", "code-middle"}),
         "",
         {},
         "digest.weak"},
        {"The certificate is restricted to nothing", signed_by("plain"), "", {}, "digest.weak"},
        {"The signer is another than the one allowed", allowed("Somebody Else"), "certificate.signer",
         asks_for_no_name},
        {"The signer's name only begins like the one allowed", allowed("Vendor Signer 2"),
         "certificate.signer", asks_for_no_name},
        {"The signer's fingerprint is another than the one allowed", allowed(fingerprint("next-signer")),
         "certificate.signer", asks_for_no_name},
        {"The signer is allowed by common name", allowed("Vendor Signer"), "", {}, "digest.weak"},
        {"The signer is allowed by organization", allowed("Vendor, Inc."), "", {}, "digest.weak"},
        {"The signer is allowed by fingerprint", allowed(fingerprint("signer")), "", {}, "digest.weak"},
        {"The signer is allowed by subject, one of two",
         allowed("Somebody Else | CN=Vendor Signer,O=Vendor\\, Inc.,C=US"),
         "",
         {},
         "digest.weak"},
    };
}

std::vector<TamperCase> strengths() {
    const auto refuse_sha1 = [](const std::vector<std::string>& names) {
        return [names](Media& media) {
            media.manifest(media.tagged("SHA256"));
            media.sums = {"sha256sum"};
            media.signer(names.front(), "sha256");
            media.bundle(names);
            media.config.trust.sha1 = Policy::refuse;
        };
    };
    const auto no_policy = blind("openssl verify takes SHA-1 at its default level");
    return {
        {"The certificate's RSA key has 1024 bits", at_level(2, {"rsa-1024", "middle"}),
         "certificate.untrusted"},
        {"The certificate's RSA key has 1536 bits", at_level(2, {"rsa-1536", "middle"}),
         "certificate.untrusted"},
        {"The certificate's RSA key has 1024 bits, and openssl is told no level", signed_by("rsa-1024"),
         "certificate.untrusted", blind("openssl verify takes weak keys at its default level")},
        {"The certificate's curve has 192 bits", at_level(2, {"p-192", "middle"}), "certificate.untrusted"},
        {"The intermediate's RSA key has 1024 bits",
         at_level(2, {"below-rsa-1024-middle", "rsa-1024-middle"}), "certificate.untrusted"},
        {"The certificate is signed with MD5", at_level(1, {"md5-signed", "middle"}),
         "certificate.untrusted"},
        {"The certificate is signed with SHA-1, which the policy accepts",
         signed_by("sha1-signed"),
         "",
         {},
         "digest.weak"},
        {"The certificate is signed with SHA-1, which the policy refuses",
         refuse_sha1({"sha1-signed", "middle"}), "digest.weak", no_policy},
        {"The intermediate is signed with SHA-1, which the policy refuses",
         refuse_sha1({"below-sha1-signed-middle", "sha1-signed-middle"}), "digest.weak", no_policy},
        {"The certificate's key is Ed25519",
         [](Media& media) {
             media.bundle({"ed25519", "middle"});
             media.directory.file(media.stem + ".sign", "");
             tamper_keys().openssl("pkeyutl -sign -rawin -inkey ed25519.key -in '" + media.path(".mf") +
                                   "' -out '" + media.path(".sign") + "'");
         },
         "certificate.usage signature.mismatch?|signature.malformed?",
         silent("openssl dgst cannot verify such signatures")},
    };
}

std::vector<TamperCase> forms() {
    const auto encrypted = [](Media& media) {
        auto pem = text_of(media.path(".crt"));
        pem.insert(pem.find('\n') + 1,
                   "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n");
        media.directory.file(media.stem + ".crt", pem);
    };
    const auto as_many_as = [](std::size_t count) {
        return [count](Media& media) {
            std::vector<std::string> names{"signer", "middle"};
            names.resize(count, "next-signer");
            media.bundle(names);
        };
    };
    return {
        {"The certificate is in DER",
         [](Media& media) {
             pinned("middle", {"signer"})(media);
             rewritten("openssl x509 -in old -outform DER")(media);
         },
         "certificate.malformed", blind("OpenSSL 3 reads DER where PEM is the default")},
        {"The certificate is in PKCS 7", rewritten("openssl crl2pkcs7 -nocrl -certfile old"),
         "certificate.malformed"},
        {"The certificate is encrypted", encrypted, "certificate.malformed"},
        {"The certificate is no text", rewritten("head -c 2000 /dev/urandom"), "certificate.malformed"},
        {"The certificate's file holds its private key instead",
         rewritten("cat " + tamper_keys().path("signer.key")), "certificate.malformed"},
        {"There are more certificates than any chain needs", as_many_as(33), "certificate.malformed",
         blind("they take any number")},
        {"There are as many certificates as are read", as_many_as(32), "", {}, "digest.weak"},
        {"The certificates' lines end as on Windows", rewritten("sed 's/$/\\r/' old"), "", {}, "digest.weak"},
        {"The certificate comes with its text",
         rewritten("{ openssl x509 -in old -text; cat old; }"),
         "",
         {},
         "digest.weak"},
    };
}

} // namespace

const Keys& tamper_keys() {
    static const TamperKeys made;
    return made;
}

std::vector<TamperCase> certificate_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {chains, dates, revocations, purposes, strengths, forms})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
