// Certificates and chains, with keys made here. The verdicts are compared with those of the openssl program.

#include "system/openssl/crypto.hpp"

#include "support/keys.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

using namespace um;
using um::test::Keys;

namespace {

constexpr auto leaf_extensions =
    "basicConstraints = CA:false\nkeyUsage = digitalSignature\nextendedKeyUsage = codeSigning\n";

/// The keys that most tests share. They are made once.
struct SharedKeys : Keys {
    SharedKeys() {
        certificate("expired", "/CN=Expired", "middle", leaf_extensions,
                    "-startdate 20200101000000Z -enddate 20210101000000Z");
        certificate("future", "/CN=Future", "middle", leaf_extensions,
                    "-startdate 20900101000000Z -enddate 20910101000000Z");
        certificate(
            "server", "/CN=Server", "middle",
            "basicConstraints = CA:false\nkeyUsage = digitalSignature\nextendedKeyUsage = serverAuth\n");
        certificate("cipher", "/CN=Cipher", "middle",
                    "basicConstraints = CA:false\nkeyUsage = keyEncipherment\n");
        certificate("old-middle", "/CN=Old Middle", "root",
                    "basicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign\n",
                    "-startdate 20200101000000Z -enddate 20210101000000Z");
        certificate("young", "/CN=Young", "old-middle", leaf_extensions);
        certificate("below-leaf", "/CN=Below", "signer", leaf_extensions);
        openssl("req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.crt -days 30 -subj "
                "/CN=Stranger");
    }
};

const Keys& keys() {
    static const SharedKeys made;
    return made;
}

TrustPolicy pinned(const std::string& anchor = "root.crt") {
    TrustPolicy policy;
    policy.anchors = keys().path(anchor);
    return policy;
}

std::string chain(const std::string& leaf) {
    return keys().pem(leaf) + keys().pem("middle");
}

std::string reasons_of(const CertificateVerdict& verdict) {
    std::string text;
    for (const auto& finding : verdict.findings) {
        EXPECT_FALSE(finding.hint.empty());
        text += (text.empty() ? "" : " ") + std::string(is_refusal(finding) ? "" : "warning:") +
                std::string(word(finding.reason));
    }
    return text;
}

std::string verdict_on(const std::string& pem, const TrustPolicy& policy = pinned()) {
    return reasons_of(OpensslCrypto().judge_certificate(pem, policy));
}

/// Whether `openssl verify` accepts the leaf with the same anchor and intermediate.
bool openssl_accepts(const std::string& leaf, const std::string& options = "-CAfile root.crt") {
    return test::shell("cd " + keys().directory.path() + " && openssl verify " + options +
                       " -untrusted middle.crt " + leaf + ".crt")
               .status == 0;
}

} // namespace

TEST(Certificate, IsTrustedUpToAPinnedRoot) {
    const auto verdict = OpensslCrypto().judge_certificate(chain("signer"), pinned());
    EXPECT_EQ(reasons_of(verdict), "");
    EXPECT_TRUE(openssl_accepts("signer"));
    ASSERT_TRUE(verdict.signer);
    EXPECT_EQ(verdict.signer->subject, "CN=Vendor Signer,O=Vendor\\, Inc.,C=US");
    auto fingerprint = keys().openssl("x509 -in signer.crt -noout -fingerprint -sha256");
    fingerprint = fingerprint.substr(fingerprint.find('=') + 1);
    std::string plain;
    for (const char c : fingerprint)
        if (std::isxdigit(static_cast<unsigned char>(c)) != 0)
            plain += static_cast<char>(std::tolower(c));
    EXPECT_EQ(verdict.signer->fingerprint, plain);
    EXPECT_EQ(verdict.signer->not_before.size(), std::string("2026-11-22T00:00:00Z").size());
}

TEST(Certificate, IsTrustedUpToAPinnedIntermediateOrItself) {
    EXPECT_EQ(verdict_on(keys().pem("signer"), pinned("middle.crt")), "");
    EXPECT_EQ(verdict_on(keys().pem("signer"), pinned("signer.crt")), "");
    EXPECT_EQ(verdict_on(keys().pem("stranger"), pinned("stranger.crt")), "");
}

TEST(Certificate, IsTrustedByADirectoryOfAnchors) {
    const test::Scratch anchors(test::guarded_place);
    anchors.file("a.pem", keys().pem("stranger"));
    anchors.file("b.pem", keys().pem("root"));
    anchors.file("README", "no certificate");
    auto policy = pinned();
    policy.anchors = anchors.path();
    EXPECT_EQ(verdict_on(chain("signer"), policy), "");
}

TEST(Certificate, IsUntrustedWithoutItsAnchor) {
    EXPECT_EQ(verdict_on(chain("signer"), pinned("stranger.crt")), "certificate.untrusted");
    EXPECT_FALSE(openssl_accepts("signer", "-CAfile stranger.crt"));
    EXPECT_EQ(verdict_on(keys().pem("stranger")), "certificate.untrusted"); // self-signed
    EXPECT_FALSE(openssl_accepts("stranger"));
    EXPECT_EQ(verdict_on(keys().pem("signer")), "certificate.untrusted"); // no intermediate
    EXPECT_EQ(
        verdict_on(keys().pem("signer") + keys().pem("middle") + keys().pem("root"), pinned("stranger.crt")),
        "certificate.untrusted"); // an anchor from the media does not count
}

TEST(Certificate, IsUntrustedBelowALeaf) {
    EXPECT_NE(verdict_on(keys().pem("below-leaf") + keys().pem("signer") + keys().pem("middle")), "");
}

TEST(Certificate, IsUntrustedWithoutAnyAnchor) {
    const test::Scratch nothing(test::guarded_place);
    auto policy = pinned();
    policy.anchors = nothing.path();
    EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.untrusted");
    policy.anchors = nothing / "missing.pem";
    EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.untrusted");
    policy.anchors = nothing.file("garbage.pem", "garbage");
    EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.untrusted");
}

TEST(Certificate, ExpiresUnlessThePolicyAcceptsThat) {
    EXPECT_EQ(verdict_on(chain("expired")), "certificate.expired");
    EXPECT_FALSE(openssl_accepts("expired"));
    auto policy = pinned();
    policy.accept_expired = true;
    EXPECT_EQ(verdict_on(chain("expired"), policy), "warning:certificate.expired");
    EXPECT_EQ(verdict_on(keys().pem("expired"), policy), // and nothing else
              "certificate.untrusted warning:certificate.expired");
    policy.anchors = keys().path("stranger.crt");
    EXPECT_EQ(verdict_on(chain("expired"), policy), "certificate.untrusted warning:certificate.expired");
}

TEST(Certificate, ExpiresWithItsIssuerWhateverThePolicy) {
    auto policy = pinned();
    policy.accept_expired = true; // only for the signer's own certificate
    EXPECT_EQ(verdict_on(keys().pem("young") + keys().pem("old-middle"), policy), "certificate.expired");
}

TEST(Certificate, NamesTheClockWhenItsTimeIsNotNow) {
    const auto verdict = OpensslCrypto().judge_certificate(chain("expired"), pinned());
    EXPECT_NE(verdict.findings.at(0).message.find(
                  "(valid from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z; the machine's clock says 20"),
              std::string::npos)
        << verdict.findings.at(0).message;
}

TEST(Certificate, IsNotYetValid) {
    EXPECT_EQ(verdict_on(chain("future")), "certificate.not-yet-valid");
    EXPECT_FALSE(openssl_accepts("future"));
    auto policy = pinned();
    policy.accept_expired = true;
    EXPECT_EQ(verdict_on(chain("future"), policy), "certificate.not-yet-valid");
}

TEST(Certificate, IsForSigning) {
    EXPECT_EQ(verdict_on(chain("server")), "certificate.usage");
    EXPECT_EQ(verdict_on(chain("cipher")), "certificate.usage");
}

TEST(Certificate, BelongsToTheAllowedSigner) {
    auto policy = pinned();
    const auto fingerprint = OpensslCrypto().judge_certificate(chain("signer"), policy).signer->fingerprint;
    auto upper = fingerprint;
    for (auto& c : upper)
        c = static_cast<char>(std::toupper(c));
    for (const auto& allowed : {std::string("Vendor Signer"), std::string("Vendor, Inc."),
                                std::string("CN=Vendor Signer,O=Vendor\\, Inc.,C=US"),
                                "sha256:" + fingerprint, "sha256:" + upper}) {
        policy.signers = {"Nobody", allowed};
        EXPECT_EQ(verdict_on(chain("signer"), policy), "") << allowed;
    }
    for (const auto& allowed : {std::string("Vendor"), std::string("vendor signer"), std::string("US"),
                                "sha256:" + fingerprint.substr(1), std::string("sha256:"), fingerprint}) {
        policy.signers = {"Nobody", allowed};
        EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.signer") << allowed;
    }
}

TEST(Certificate, IsNotTheAllowedSignersBecauseItsNameLooksLikeIt) {
    const Keys own;
    const std::string subject = "CN=Vendor Signer,O=Vendor\\, Inc.,C=US";
    own.certificate("liar", "/CN=CN=Vendor Signer,O=Vendor\\\\, Inc.,C=US", "middle", leaf_extensions);
    auto policy = pinned();
    policy.anchors = own.path("root.crt");
    policy.signers = {subject};
    EXPECT_EQ(verdict_on(own.pem("liar") + own.pem("middle"), policy), "certificate.signer");
    EXPECT_EQ(verdict_on(own.pem("signer") + own.pem("middle"), policy), "");
}

TEST(Certificate, CannotSpeakToTheTerminalOrFloodTheRecord) {
    const Keys own;
    own.certificate("escape", "/CN=a\xc2\x9b\x1b[31m b", "middle", leaf_extensions);
    auto policy = pinned();
    policy.anchors = own.path("root.crt");
    const auto verdict = OpensslCrypto().judge_certificate(own.pem("escape") + own.pem("middle"), policy);
    ASSERT_TRUE(verdict.signer);
    for (const char c : verdict.signer->subject)
        EXPECT_TRUE(c >= ' ' && c <= '~') << verdict.signer->subject;
    std::string long_name;
    for (int i = 0; i < 9; ++i)
        long_name += "/CN=" + std::string(60, 'x');
    own.certificate("long", long_name, "middle", leaf_extensions);
    EXPECT_EQ(verdict_on(own.pem("long") + own.pem("middle"), policy), "certificate.malformed");
}

TEST(Certificate, IsJudgedInEveryRespectAtOnce) {
    auto policy = pinned("stranger.crt");
    policy.signers = {"Somebody"};
    EXPECT_EQ(verdict_on(chain("server"), policy),
              "certificate.usage certificate.signer certificate.untrusted");
}

TEST(Certificate, IsMalformed) {
    const auto pem = keys().pem("signer");
    for (const auto& text : {std::string(), std::string("garbage"), pem.substr(0, pem.size() / 2),
                             pem + pem.substr(0, pem.size() / 2), std::string("\0\1\2", 3),
                             test::text_of(keys().path("signer.key"))}) {
        const auto verdict = OpensslCrypto().judge_certificate(text, pinned());
        EXPECT_EQ(reasons_of(verdict), "certificate.malformed") << text;
        EXPECT_FALSE(verdict.signer);
    }
}

TEST(RevocationList, IsAskedWhenItIsSet) {
    const Keys own;
    const auto judged = [&](const std::string& crl) {
        TrustPolicy policy;
        policy.anchors = own.path("root.crt");
        policy.crl = own.directory.file("all.crl", crl);
        return verdict_on(own.pem("signer") + own.pem("middle"), policy);
    };
    const auto root = own.revocation_list("root", 30);
    const auto stale_root = own.revocation_list("root", 0);
    EXPECT_EQ(judged(root + own.revocation_list("middle", 30)), "");
    EXPECT_EQ(judged(root), "certificate.crl"); // the intermediate's list is missing
    EXPECT_EQ(judged(root + own.revocation_list("middle", 0)), "certificate.crl");
    EXPECT_EQ(judged(stale_root + own.revocation_list("middle", 30)), "certificate.crl");
    EXPECT_EQ(judged("garbage"), "certificate.crl");
    own.revoke("signer", "middle");
    EXPECT_EQ(judged(root + own.revocation_list("middle", 30)), "certificate.revoked");
    own.revoke("middle", "root");
    EXPECT_EQ(judged(own.revocation_list("root", 30) + own.revocation_list("middle", 30)),
              "certificate.revoked certificate.revoked"); // the signer and its issuer
}

TEST(RevocationList, IsNotAskedForTheAnchorThatIsPinned) {
    const Keys own;
    TrustPolicy policy;
    policy.anchors = own.path("middle.crt");
    policy.crl = own.directory.file("all.crl", own.revocation_list("middle", 30));
    EXPECT_EQ(verdict_on(own.pem("signer"), policy), "");
    own.revoke("signer", "middle");
    policy.crl = own.directory.file("all.crl", own.revocation_list("middle", 30));
    EXPECT_EQ(verdict_on(own.pem("signer"), policy), "certificate.revoked");
    policy.anchors = own.path("signer.crt");
    policy.crl = own.directory.file("all.crl", own.revocation_list("root", 30));
    EXPECT_EQ(verdict_on(own.pem("signer"), policy), "");
}

TEST(RevocationList, IsRefusedWhenItIsMissing) {
    auto policy = pinned();
    policy.crl = "/no/such.crl";
    EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.crl");
}

TEST(Anchor, IsRefusedWhereOthersCouldExchangeIt) {
    const test::Scratch open; // below a directory that is writable by everybody
    auto policy = pinned();
    policy.anchors = open.file("root.pem", keys().pem("root"));
    const auto verdict = OpensslCrypto().judge_certificate(chain("signer"), policy);
    EXPECT_EQ(reasons_of(verdict), "certificate.untrusted");
    EXPECT_NE(verdict.findings.at(0).message.find("could be exchanged"), std::string::npos)
        << verdict.findings.at(0).message;
    policy.anchors = keys().path("root.crt");
    policy.crl = open.file("list.crl", "");
    EXPECT_EQ(verdict_on(chain("signer"), policy), "certificate.crl");
}

TEST(Anchor, MayBeALinkAsSystemsHaveIt) {
    const test::Scratch anchors(test::guarded_place);
    ASSERT_EQ(::symlink(keys().path("root.crt").c_str(), (anchors / "root.pem").c_str()), 0);
    auto policy = pinned();
    policy.anchors = anchors.path();
    EXPECT_EQ(verdict_on(chain("signer"), policy), "");
}

TEST(Chain, ThatNobodyVouchesForNamesTheAnchorsThatArePinned) {
    const auto verdict = OpensslCrypto().judge_certificate(chain("signer"), pinned("stranger.crt"));
    ASSERT_EQ(verdict.findings.size(), 1U);
    EXPECT_NE(verdict.findings[0].message.find("pinned in " + keys().path("stranger.crt") + ": 'CN="),
              std::string::npos)
        << verdict.findings[0].message;
}
