// The names in the certificate that a TLS server presents or that a PEM file holds.

#include "system/openssl/served.hpp"
#include "base/file.hpp"
#include "system/openssl/support.hpp"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

namespace um {
namespace {

using TlsContext = Handle<SSL_CTX, SSL_CTX_free>;
using Tls = Handle<SSL, SSL_free>;
using Addresses = Handle<addrinfo, freeaddrinfo>;
using AlternativeNames = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{10}; // for all of it: a server may accept and stay silent
constexpr std::string_view scheme = "tls://";

struct Server {
    std::string host;
    std::string port;
    std::string name() const { return host + ":" + port; }
};

Server parse_server(const std::string& where) {
    const auto rest = where.substr(scheme.size());
    const auto colon = rest.rfind(':');
    auto host = rest.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') // an IPv6 address
        host = host.substr(1, host.size() - 2);
    return {host, rest.substr(colon + 1)};
}

/// Waits until the socket is ready. Throws SystemFailure at the deadline.
void wait_ready(int fd, short events, Clock::time_point deadline, const Server& server) {
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd poll{fd, events, 0};
        const int ready = left.count() > 0 ? ::poll(&poll, 1, static_cast<int>(left.count())) : 0;
        if (ready > 0)
            return;
        if (ready == 0)
            throw SystemFailure(
                fmt::format("connect to {}: no answer in {} s", server.name(), patience.count()));
        if (errno != EINTR)
            throw SystemFailure(fmt::format("wait for {}", server.name()), errno);
    }
}

Fd connect_to(const Server& server, Clock::time_point deadline) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found); error != 0)
        throw SystemFailure(fmt::format("look up {}: {}", server.name(), ::gai_strerror(error)));
    const Addresses addresses(found);
    int error = ECONNREFUSED;
    for (const auto* address = found; address != nullptr; address = address->ai_next) {
        Fd fd(::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (fd && ::connect(fd.get(), address->ai_addr, address->ai_addrlen) == 0)
            return fd;
        if (!fd || errno != EINPROGRESS) {
            error = errno;
            continue;
        }
        wait_ready(fd.get(), POLLOUT, deadline, server);
        socklen_t size = sizeof error;
        if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0)
            return fd;
    }
    throw SystemFailure(fmt::format("connect to {}", server.name()), error);
}

/// Does not trust the server: it only reads the server's certificate, and sends it no data. Throws
/// SystemFailure.
Certificate presented_by(const Server& server, const std::string& host_name) {
    const auto deadline = Clock::now() + patience;
    const auto fd = connect_to(server, deadline);
    const TlsContext context(SSL_CTX_new(TLS_client_method()));
    expect(context != nullptr, "prepare TLS");
    SSL_CTX_set_security_level(context.get(), 0); // the key of an old appliance may be short
    expect(SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION) == 1, "prepare TLS");
    const Tls tls(SSL_new(context.get()));
    expect(tls && SSL_set_fd(tls.get(), fd.get()) == 1, "prepare TLS");
    SSL_set_tlsext_host_name(tls.get(), host_name.c_str()); // ignoring: then the server presents its default
    for (int result = 0; (result = SSL_connect(tls.get())) != 1;) {
        const int error = SSL_get_error(tls.get(), result);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            throw SystemFailure(fmt::format("TLS with {}: {}", server.name(), openssl_error()));
        wait_ready(fd.get(), error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, server);
    }
    Certificate certificate(SSL_get_peer_certificate(tls.get()));
    if (!certificate)
        throw SystemFailure(fmt::format("{} presents no certificate", server.name()));
    return certificate;
}

Certificate from_file(const std::string& path) {
    const auto pem = read_file_if_there(path, record_limit);
    if (!pem)
        throw SystemFailure(fmt::format("open '{}'", path), ENOENT);
    try {
        return std::move(parse_certificates(*pem, path).front());
    } catch (const Failure& failure) {
        throw SystemFailure(failure.what());
    }
}

std::string text_of(const ASN1_STRING* string) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
            static_cast<std::size_t>(ASN1_STRING_length(string))};
}

std::vector<std::string> dns_names(const X509* certificate) {
    std::vector<std::string> found;
    const AlternativeNames names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i)
        if (const auto* name = sk_GENERAL_NAME_value(names.get(), i); name->type == GEN_DNS)
            found.push_back(text_of(name->d.dNSName));
    return found;
}

} // namespace

CertificateNames certificate_names(const std::string& where, const std::string& host_name) {
    const auto certificate =
        where.starts_with(scheme) ? presented_by(parse_server(where), host_name) : from_file(where);
    return {subject_entries(certificate.get(), NID_commonName), dns_names(certificate.get())};
}

} // namespace um
