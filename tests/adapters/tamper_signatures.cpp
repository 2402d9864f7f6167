// The tamper table: signatures in every genuine form and in forms that are not.

#include "adapters/tampering.hpp"

#include <filesystem>

namespace um::test {
namespace {

const std::string pss = "-sigopt rsa_padding_mode:pss";

/// Signs a manifest with a strong digest.
std::function<void(Media&)> strong(const std::string& key, const std::string& digest,
                                   const std::string& options = "") {
    return [=](Media& media) {
        media.manifest(media.tagged("SHA256"));
        media.sums = {"sha256sum"};
        media.signer(key, digest, options);
    };
}

/// Genuine media, but `change` makes another signature from the genuine one.
template <class Change>
std::function<void(Media&)> changed(const std::function<void(Media&)>& genuine, Change change) {
    return [=](Media& media) {
        genuine(media);
        media.directory.file(media.stem + ".sign", change(text_of(media.path(".sign"))));
    };
}

/// The signature that commands make from the file "mf" and write to the file "sign".
std::function<void(Media&)> made_by(const std::string& commands) {
    return [commands](Media& media) {
        tamper_keys().directory.file("mf", text_of(media.path(".mf")));
        const auto result = shell("cd '" + tamper_keys().directory.path() + "' && " + commands);
        if (result.status != 0)
            throw std::runtime_error(commands + ": " + result.output);
        media.directory.file(media.stem + ".sign", text_of(tamper_keys().path("sign")));
    };
}

std::string with_byte_flipped(std::string signature, std::size_t at) {
    signature.at(at) = static_cast<char>(signature.at(at) ^ 1);
    return signature;
}

/// Another form of the same two numbers. The outer length takes two bytes, which DER forbids.
std::string in_ber(const std::string& signature) {
    return signature.substr(0, 1) + '\x81' + signature.substr(1);
}

/// The two numbers side by side, as some other programs write them.
std::string numbers_only(const std::string& signature) {
    std::string numbers;
    for (std::size_t at = 2; at < signature.size();) {
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(signature.at(at + 1)));
        const auto number = std::string(32, '\0') + signature.substr(at + 2, size);
        numbers += number.substr(number.size() - 32);
        at += 2 + size;
    }
    return numbers;
}

const auto reads_no_further = blind("openssl dgst reads no more of the file than a signature has");

std::vector<TamperCase> genuine_signatures() {
    return {
        {"The media are as the vendor's are", [](Media&) {}, "", {}, "digest.weak"},
        {"The manifest is signed with RSA and SHA-256", strong("signer", "sha256"), ""},
        {"The manifest is signed with RSA and SHA-384", strong("signer", "sha384"), ""},
        {"The manifest is signed with RSA and SHA-512", strong("signer", "sha512"), ""},
        {"The manifest is signed with RSA of 3072 bits", strong("rsa-3072", "sha256"), ""},
        {"The manifest is signed with RSA-PSS and SHA-256", strong("signer", "sha256", pss), ""},
        {"The manifest is signed with RSA-PSS, its salt as long as the digest",
         strong("signer", "sha256", pss + " -sigopt rsa_pss_saltlen:32"), ""},
        {"The manifest is signed with a key for RSA-PSS alone", strong("rsa-pss", "sha256"), ""},
        {"The manifest is signed with RSA-PSS and SHA-1",
         strong("signer", "sha1", pss),
         "",
         {},
         "digest.weak"},
        {"The manifest is signed with ECDSA on P-256", strong("p-256", "sha256"), ""},
        {"The manifest is signed with ECDSA on P-384", strong("p-384", "sha384"), ""},
        {"The manifest is signed with ECDSA and SHA-1", strong("p-256", "sha1"), "", {}, "digest.weak"},
        {"Only the digest is required, and there is no signature",
         [](Media& media) {
             media.config.trust.require = Require::digest;
             std::filesystem::remove(media.path(".crt"));
             std::filesystem::remove(media.path(".sign"));
         },
         "", stricter("openssl has nothing to verify"), "digest.weak"},
        {"The signature is followed by a line feed",
         changed(strong("signer", "sha256"), [](const std::string& signature) { return signature + "\n"; }),
         ""},
    };
}

std::vector<TamperCase> spoilt_rsa() {
    const auto by_signer = strong("signer", "sha256");
    return {
        {"The signature is followed by two line feeds",
         changed(by_signer, [](const std::string& signature) { return signature + "\n\n"; }),
         "signature.malformed", reads_no_further},
        {"The signature is followed by a zero",
         changed(by_signer, [](const std::string& signature) { return signature + '\0'; }),
         "signature.malformed", reads_no_further},
        {"The signature stands there twice",
         changed(by_signer, [](const std::string& signature) { return signature + signature; }),
         "signature.malformed", reads_no_further},
        {"A damaged signature is followed by a line feed",
         changed(by_signer,
                 [](const std::string& signature) { return with_byte_flipped(signature, 9) + "\n"; }),
         "signature.mismatch|signature.malformed"},
        {"The signature lacks its first byte",
         changed(by_signer, [](const std::string& signature) { return signature.substr(1); }),
         "signature.malformed"},
        {"The signature is in base64", made_by("openssl dgst -sha1 -sign signer.key mf | base64 > sign"),
         "signature.malformed"},
        {"The signature is in hexadecimal", made_by("openssl dgst -sha1 -hex -sign signer.key mf > sign"),
         "signature.malformed"},
        {"The signature is a message in CMS",
         made_by("openssl cms -sign -binary -in mf -signer signer.crt -inkey signer.key -outform DER "
                 "-out sign"),
         "signature.malformed"},
        {"The signature is all zeros",
         changed(by_signer, [](const std::string& signature) { return std::string(signature.size(), '\0'); }),
         "signature.mismatch"},
        {"The signature is the number one",
         changed(by_signer,
                 [](const std::string& signature) { return std::string(signature.size() - 1, '\0') + '\1'; }),
         "signature.mismatch"},
        {"The signature is greater than the key's modulus",
         changed(by_signer,
                 [](const std::string& signature) { return std::string(signature.size(), '\xff'); }),
         "signature.mismatch"},
        {"The signature is by another key of the same size",
         made_by("openssl dgst -sha1 -sign next-signer.key -out sign mf"), "signature.mismatch"},
        {"The signature is by the intermediate", made_by("openssl dgst -sha1 -sign middle.key -out sign mf"),
         "signature.mismatch"},
        {"The signature is over the digest of the manifest's digest",
         made_by("openssl dgst -sha1 -binary -out digest mf && openssl dgst -sha1 -sign signer.key -out sign "
                 "digest"),
         "signature.mismatch"},
        {"The signature does not say which digest was signed",
         made_by("openssl dgst -sha1 -binary -out digest mf && openssl pkeyutl -sign -inkey signer.key -in "
                 "digest -out sign"),
         "signature.mismatch"},
        {"The signature is over the ISO",
         [](Media& media) {
             tamper_keys().openssl("dgst -sha1 -sign signer.key -out '" + media.path(".sign") + "' '" +
                                   media.iso() + "'");
         },
         "signature.mismatch"},
        {"Only the digest is required, and it is another",
         [](Media& media) {
             media.config.trust.require = Require::digest;
             flip(media.iso(), Where::middle);
         },
         "manifest.mismatch"},
        {"The manifest is signed with MD5", [](Media& media) { media.signer("signer", "md5"); },
         "signature.mismatch", blind("openssl dgst takes any digest that it is told")},
        {"A bit of an RSA-PSS signature is flipped",
         changed(strong("signer", "sha256", pss),
                 [](const std::string& signature) { return with_byte_flipped(signature, 128); }),
         "signature.mismatch"},
        {"The manifest is signed with SHA-1, which the policy refuses",
         [](Media& media) {
             strong("signer", "sha1")(media);
             media.config.trust.sha1 = Policy::refuse;
         },
         "digest.weak", blind("openssl dgst takes any digest that it is told")},
    };
}

std::vector<TamperCase> spoilt_ecdsa() {
    const auto by_curve = strong("p-256", "sha256");
    return {
        {"The first bit of an ECDSA signature is flipped",
         changed(by_curve, [](const std::string& signature) { return with_byte_flipped(signature, 0); }),
         "signature.malformed"},
        {"A number of an ECDSA signature is another",
         changed(
             by_curve,
             [](const std::string& signature) { return with_byte_flipped(signature, signature.size() - 1); }),
         "signature.mismatch"},
        {"An ECDSA signature is a byte too short",
         changed(by_curve,
                 [](const std::string& signature) { return signature.substr(0, signature.size() - 1); }),
         "signature.malformed"},
        {"An ECDSA signature is followed by more",
         changed(by_curve, [](const std::string& signature) { return signature + "more"; }),
         "signature.malformed",
         silent("openssl dgst reads 72 bytes, and how many of them the signature has is chance")},
        {"An ECDSA signature is in BER", changed(by_curve, in_ber), "signature.malformed|signature.mismatch"},
        {"An ECDSA signature is two numbers only", changed(by_curve, numbers_only), "signature.malformed"},
        {"An ECDSA signature's numbers are zero",
         changed(by_curve,
                 [](const std::string&) { return std::string("\x30\x06\x02\x01\x00\x02\x01\x00", 8); }),
         "signature.mismatch"},
        {"An ECDSA signature is empty", changed(by_curve, [](const std::string&) { return std::string(); }),
         "signature.malformed"},
        {"An ECDSA signature stands where the key is RSA",
         made_by("openssl dgst -sha1 -sign p-256.key -out sign mf"), "signature.malformed"},
    };
}

} // namespace

std::vector<TamperCase> signature_cases() {
    std::vector<TamperCase> table;
    for (const auto part : {genuine_signatures, spoilt_rsa, spoilt_ecdsa})
        for (auto& tampered : part())
            table.push_back(std::move(tampered));
    return table;
}

} // namespace um::test
