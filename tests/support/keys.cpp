#include "support/keys.hpp"

#include <stdexcept>

namespace um::test {
namespace {

constexpr auto ca_extensions =
    "basicConstraints = critical,CA:true\nkeyUsage = critical,keyCertSign,cRLSign\n";
constexpr auto signer_extensions =
    "basicConstraints = CA:false\nkeyUsage = critical,digitalSignature\nextendedKeyUsage = codeSigning\n";

} // namespace

Keys::Keys() {
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 3650 -sha256 "
            "-subj '/O=Vendor/CN=Vendor Root' -addext 'keyUsage=critical,keyCertSign,cRLSign'");
    certificate("middle", "/O=Vendor/CN=Vendor Middle", "root", ca_extensions);
    certificate("signer", "/C=US/O=Vendor, Inc./CN=Vendor Signer", "middle", signer_extensions);
}

std::string Keys::openssl(const std::string& arguments) const {
    const auto result = shell("cd '" + directory.path() + "' && openssl " + arguments);
    if (result.status != 0)
        throw std::runtime_error("openssl " + arguments + ": " + result.output);
    return result.output;
}

void Keys::certificate(const std::string& name, const std::string& subject, const std::string& issuer,
                       const std::string& extensions, const std::string& options,
                       const std::string& key) const {
    directory.file(
        "ca-" + issuer + ".cnf",
        "[ca]\ndefault_ca = this\n[this]\ndatabase = " + issuer + ".index\nnew_certs_dir = .\n" +
            "rand_serial = yes\ndefault_md = sha256\npolicy = any\nunique_subject = no\nemail_in_dn = no\n"
            "default_crl_days = 30\n[any]\ncountryName = optional\norganizationName = optional\n"
            "commonName = supplied\n");
    directory.file(name + ".ext", extensions);
    shell("cd '" + directory.path() + "' && touch " + issuer + ".index");
    openssl("req -newkey " + key + " -nodes -keyout " + name + ".key -out " + name + ".csr -subj '" +
            subject + "'");
    openssl("ca -batch -notext -config ca-" + issuer + ".cnf -cert " + issuer + ".crt -keyfile " + issuer +
            ".key -in " + name + ".csr -out " + name + ".crt -extfile " + name + ".ext " +
            (options.empty() ? "-days 365" : options));
}

void Keys::revoke(const std::string& name, const std::string& issuer) const {
    openssl("ca -config ca-" + issuer + ".cnf -cert " + issuer + ".crt -keyfile " + issuer + ".key -revoke " +
            name + ".crt");
}

std::string Keys::revocation_list(const std::string& issuer, int days) const {
    const auto dates = days > 0
                           ? "-crldays " + std::to_string(days)
                           : std::string("-crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z");
    openssl("ca -config ca-" + issuer + ".cnf -cert " + issuer + ".crt -keyfile " + issuer +
            ".key -gencrl -out " + issuer + ".crl " + dates);
    return text_of(path(issuer + ".crl"));
}

std::string Keys::sign(const std::string& name, const std::string& message, const std::string& digest) const {
    directory.file("message", message);
    openssl("dgst -" + digest + " -sign " + name + ".key -out message.sign message");
    return text_of(path("message.sign"));
}

} // namespace um::test
