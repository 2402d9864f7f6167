// The keys and certificates of the tamper table: a genuine chain, and every fault that a certificate can
// have.

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

/// Certificates with every fault. The name of each is its fault.
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

    /// Makes an intermediate and a signer below it.
    void branch(const std::string& name, const std::string& extensions, const std::string& options = a_year,
                const std::string& key = elliptic) const {
        leaf(name, "root", extensions, options, key);
        leaf("below-" + name, name, code_signing);
    }

    void make_branches() const {
        branch("old-middle", authority, long_ago);
        leaf("expired-below-old-middle", "old-middle", code_signing, long_ago);
        branch("explicit-middle", authority, a_year,
               std::string(elliptic) + " -pkeyopt ec_param_enc:explicit");
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
        leaf("rsa-pss", "middle", code_signing, a_year, "rsa-pss -pkeyopt rsa_keygen_bits:2048");
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
        self_signed("other-root", "/O=Vendor/CN=Vendor Root"); // has the same name
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

} // namespace

const Keys& tamper_keys() {
    static const TamperKeys made;
    return made;
}

} // namespace um::test
