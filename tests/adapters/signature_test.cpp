// Signatures over manifests, with keys made here. The verdicts are compared with those of the openssl
// program.

#include "system/openssl/crypto.hpp"

#include "support/keys.hpp"

#include <gtest/gtest.h>

using namespace um;
using um::test::Keys;

namespace {

const Keys& keys() {
    static const Keys made;
    static const auto stranger = made.openssl("req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out "
                                              "stranger.crt -days 30 -subj /CN=Stranger");
    return made;
}

std::string chain(const std::string& leaf) {
    return keys().pem(leaf) + keys().pem("middle");
}

std::string signature_verdict(const std::string& message, const std::string& signature,
                              const std::string& pem, const TrustPolicy& policy = {}) {
    try {
        return std::string(name(OpensslCrypto().verify_signature(message, signature, pem, policy)));
    } catch (const Failure& failure) {
        return std::string(word(failure.reason()));
    }
}

bool openssl_verifies(const std::string& signer, const std::string& message, const std::string& signature,
                      const std::string& digest) {
    const auto& directory = keys().directory;
    directory.file("m", message);
    directory.file("s", signature);
    return test::shell("cd " + directory.path() + " && openssl x509 -in " + signer +
                       ".crt -pubkey -noout > p && openssl dgst -" + digest + " -verify p -signature s m")
               .status == 0;
}

const std::string message = "SHA256(x.iso)= 00\n";

} // namespace

TEST(Signature, IsVerifiedWithTheDigestThatMadeIt) {
    const std::pair<std::string, std::string> digests[] = {
        {"sha1", "SHA-1"}, {"sha256", "SHA-256"}, {"sha384", "SHA-384"}, {"sha512", "SHA-512"}};
    for (const auto& [digest, shown] : digests) {
        const auto signature = keys().sign("signer", message, digest);
        EXPECT_EQ(signature_verdict(message, signature, chain("signer")), shown);
        EXPECT_TRUE(openssl_verifies("signer", message, signature, digest));
    }
}

TEST(Signature, IsRefusedWithSha1WhereThePolicySaysSo) {
    TrustPolicy policy;
    policy.accept_sha1 = false;
    EXPECT_EQ(signature_verdict(message, keys().sign("signer", message, "sha1"), chain("signer"), policy),
              "digest.weak");
    EXPECT_EQ(signature_verdict(message, keys().sign("signer", message, "sha256"), chain("signer"), policy),
              "SHA-256");
}

TEST(Signature, DoesNotMatchAnotherMessageKeyOrByte) {
    const auto signature = keys().sign("signer", message, "sha256");
    for (const auto& other : {message + "\n", message.substr(1), std::string()}) {
        EXPECT_EQ(signature_verdict(other, signature, chain("signer")), "signature.mismatch");
        EXPECT_FALSE(openssl_verifies("signer", other, signature, "sha256"));
    }
    EXPECT_EQ(signature_verdict(message, keys().sign("stranger", message, "sha256"), chain("signer")),
              "signature.mismatch");
    for (const std::size_t at : {0U, 100U, 255U}) {
        auto damaged = signature;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        EXPECT_EQ(signature_verdict(message, damaged, chain("signer")), "signature.mismatch") << at;
        EXPECT_FALSE(openssl_verifies("signer", message, damaged, "sha256"));
    }
    EXPECT_EQ(signature_verdict(message, std::string(256, '\0'), chain("signer")), "signature.mismatch");
}

TEST(Signature, IsMalformedWhenItIsTooShortOrTooLong) {
    const auto signature = keys().sign("signer", message, "sha256");
    for (const auto& other :
         {std::string(), signature.substr(0, 255), signature.substr(1), signature + "\n\n", signature + "x"})
        EXPECT_EQ(signature_verdict(message, other, chain("signer")), "signature.malformed") << other.size();
    EXPECT_EQ(signature_verdict(message, keys().openssl("base64 -in message.sign"), chain("signer")),
              "signature.malformed");
}

TEST(Signature, MayEndWithALineFeedAsForOpenssl) {
    const auto signature = keys().sign("signer", message, "sha1") + "\n";
    EXPECT_EQ(signature_verdict(message, signature, chain("signer")), "SHA-1");
    EXPECT_TRUE(openssl_verifies("signer", message, signature, "sha1"));
}

TEST(Signature, MayBePss) {
    keys().directory.file("message", message);
    for (const std::string salt : {"digest", "max", "0"}) {
        keys().openssl("dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:" + salt +
                       " -sign signer.key -out pss.sign message");
        auto signature = test::text_of(keys().path("pss.sign"));
        EXPECT_EQ(signature_verdict(message, signature, chain("signer")), "SHA-384") << salt;
        EXPECT_EQ(signature_verdict(message + "x", signature, chain("signer")), "signature.mismatch");
        signature[7] = static_cast<char>(signature[7] ^ 4);
        EXPECT_EQ(signature_verdict(message, signature, chain("signer")), "signature.mismatch");
    }
}

TEST(Signature, MayBeOfAnEllipticCurve) {
    const Keys own;
    for (const std::string curve : {"prime256v1", "secp384r1"}) {
        own.certificate("curve", "/CN=Curve", "middle", "keyUsage = digitalSignature\n", "",
                        "ec -pkeyopt ec_paramgen_curve:" + curve);
        const auto pem = own.pem("curve") + own.pem("middle");
        const auto signature = own.sign("curve", message, "sha256");
        EXPECT_EQ(signature_verdict(message, signature, pem), "SHA-256");
        EXPECT_EQ(signature_verdict(message + "x", signature, pem), "signature.mismatch");
        for (const auto& other : {std::string(), signature + "x", signature.substr(1),
                                  signature.substr(0, signature.size() - 1), std::string(256, 'x')})
            EXPECT_EQ(signature_verdict(message, other, pem), "signature.malformed") << other.size();
    }
}

TEST(Signature, NeedsACertificate) {
    EXPECT_EQ(signature_verdict(message, "x", "garbage"), "certificate.malformed");
}
