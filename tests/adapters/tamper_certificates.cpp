// The tamper table: chains, dates, revocation, usage, signers and keys.

#include "adapters/tampering.hpp"

#include <filesystem>
#include <sys/stat.h>

namespace um::test {
namespace {

std::function<void(Media&)> signed_by(const std::string& key) {
    return [key](Media& media) { media.signer(key); };
}

/// Signs with the first of the certificates. All of them come with the media.
std::function<void(Media&)> chain(const std::vector<std::string>& names) {
    return [names](Media& media) {
        media.signer(names.front());
        media.bundle(names);
    };
}

/// Gives openssl the security level with which it refuses weak keys.
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

std::function<void(Media&)> allowed(const std::vector<std::string>& signers) {
    return [signers](Media& media) { media.config.trust.signers = signers; };
}

/// Replaces the .crt by the output of a command.
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
         "certificate.untrusted|certificate.usage"},
        {"The chain is longer than its intermediate allows",
         chain({"below-too-deep", "too-deep", "last-middle"}), "certificate.untrusted"},
        {"The intermediate spells its curve out", chain({"below-explicit-middle", "explicit-middle"}),
         "certificate.untrusted"},
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
        {"The certificate has expired with its intermediate, which no policy accepts",
         accept_expired({"expired-below-old-middle", "old-middle"}), "certificate.expired"},
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

/// The anchors and the lists decide whom the agent trusts, so only root may be able to change them.
std::vector<TamperCase> trust_files() {
    const auto anchor = [](mode_t mode) {
        return [mode](Media& media) {
            media.config.trust.anchors = media.directory.file("anchor.pem", tamper_keys().pem("root"));
            ::chmod(media.config.trust.anchors.c_str(), mode);
        };
    };
    const auto looks_at_no_mode = blind("they look at no owner and at no mode");
    return {
        {"The anchor may be read by everybody", anchor(0644), "", {}, "digest.weak"},
        {"The anchor may be written by everybody", anchor(0666), "certificate.untrusted", looks_at_no_mode},
        {"The anchor stands where everybody may write",
         [=](Media& media) {
             anchor(0600)(media);
             const auto open = media.directory / "open";
             std::filesystem::create_directory(open);
             std::filesystem::rename(media.config.trust.anchors, open + "/anchor.pem");
             ::chmod(open.c_str(), 01777);
             media.config.trust.anchors = open + "/anchor.pem";
         },
         "certificate.untrusted", looks_at_no_mode},
        {"The anchor is missing", [](Media& media) { media.config.trust.anchors = "/missing.pem"; },
         "certificate.untrusted"},
        {"The anchor is empty",
         [](Media& media) { media.config.trust.anchors = media.directory.file("anchor.pem", ""); },
         "certificate.untrusted"},
        {"The lists may be written by everybody",
         [](Media& media) {
             media.config.trust.crl = media.directory.file("lists", text_of(tamper_keys().path("all.list")));
             ::chmod(media.config.trust.crl.c_str(), 0666);
         },
         "certificate.crl", looks_at_no_mode},
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
        {"The signer is another than the one allowed", allowed({"Somebody Else"}), "certificate.signer",
         asks_for_no_name},
        {"The signer's name only begins like the one allowed", allowed({"Vendor Signer 2"}),
         "certificate.signer", asks_for_no_name},
        {"The signer's fingerprint is another than the one allowed", allowed({fingerprint("next-signer")}),
         "certificate.signer", asks_for_no_name},
        {"The signer is allowed by common name", allowed({"Vendor Signer"}), "", {}, "digest.weak"},
        {"The signer is allowed by organization", allowed({"Vendor, Inc."}), "", {}, "digest.weak"},
        {"The signer is allowed by fingerprint", allowed({fingerprint("signer")}), "", {}, "digest.weak"},
        {"The signer is allowed by subject, one of two",
         allowed({"Somebody Else", "CN=Vendor Signer,O=Vendor\\, Inc.,C=US"}),
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
            names.resize(count, "plain");
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
        {"There are more certificates than any chain needs", as_many_as(1001), "certificate.malformed",
         silent("openssl verify takes its time to pass over them")},
        {"There are many certificates, all but two of them for nothing",
         as_many_as(32),
         "",
         {},
         "digest.weak"},
        {"The certificates' lines end as on Windows", rewritten("sed 's/$/\\r/' old"), "", {}, "digest.weak"},
        {"The certificate comes with its text",
         rewritten("{ openssl x509 -in old -text; cat old; }"),
         "",
         {},
         "digest.weak"},
    };
}

} // namespace

std::vector<TamperCase> certificate_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {chains, dates, revocations, trust_files, purposes, strengths, forms})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
