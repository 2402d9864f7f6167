// The certificates that servers of the openssl program present, and servers that do not speak TLS.

#include "base/fd.hpp"
#include "system/openssl/crypto.hpp"

#include "support/keys.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace um;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using um::test::Keys;

namespace {

struct ServerKeys : Keys {
    ServerKeys() {
        make("um", "/CN=um.example.test", "-addext subjectAltName=DNS:um.example.test,DNS:um,IP:127.0.0.1");
        make("plain", "/CN=um.example.test/CN=second", "");
        make("other", "/CN=other.example.test", "-addext subjectAltName=DNS:other.example.test");
    }
    void make(const std::string& name, const std::string& subject, const std::string& more) const {
        openssl("req -x509 -newkey rsa:2048 -nodes -days 30 -keyout " + name + ".key -out " + name +
                ".crt -subj " + subject + " " + more);
    }
};

const Keys& keys() {
    static const ServerKeys made;
    return made;
}

/// A socket with a port of its own. It listens after listen().
struct Listener {
    Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port = ntohs(address.sin_port);
    }
    void listen() const { EXPECT_EQ(::listen(fd.get(), 5), 0); }
    std::string url() const { return "tls://127.0.0.1:" + std::to_string(port); }
    Fd fd;
    int port = 0;
};

/// `openssl s_server` with options of its own. It runs as long as the object lives.
class Server {
public:
    explicit Server(std::string options) {
        {
            const Listener free_port; // no other program should take it in between
            url_ = free_port.url();
            port_ = std::to_string(free_port.port);
        }
        auto command = "cd " + keys().path("") +
                       " && exec openssl s_server -quiet -accept 127.0.0.1:" + port_ + " " +
                       std::move(options) + " </dev/null >/dev/null 2>&1";
        std::string shell = "/bin/sh";
        std::string flag = "-c";
        char* arguments[] = {shell.data(), flag.data(), command.data(), nullptr};
        EXPECT_EQ(::posix_spawn(&process_, shell.c_str(), nullptr, nullptr, arguments, environ), 0);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }

    /// The names in its certificate. Asks again until the server is up.
    CertificateNames names(const std::string& host = "um.example.test") const {
        OpensslCrypto crypto;
        for (int tries = 0;; ++tries) {
            try {
                return crypto.certificate_names(url_, host);
            } catch (const SystemFailure& failure) {
                if (tries > 300 || std::string(failure.what()).find("refused") == std::string::npos)
                    throw;
                std::this_thread::sleep_for(std::chrono::milliseconds(50));
            }
        }
    }

private:
    pid_t process_ = -1;
    std::string url_;
    std::string port_;
};

std::string failure_of(const std::string& where) {
    try {
        OpensslCrypto().certificate_names(where, "um.example.test");
        return "no failure";
    } catch (const SystemFailure& failure) {
        return failure.what();
    }
}

} // namespace

TEST(ServedCertificate, IsTheOneThatTheServerPresents) {
    const auto names = Server("-cert um.crt -key um.key").names();
    EXPECT_THAT(names.common_names, ElementsAre("um.example.test"));
    EXPECT_THAT(names.alternatives, ElementsAre("um.example.test", "um"));
}

TEST(ServedCertificate, MayHaveNoAlternatives) {
    const auto names = Server("-cert plain.crt -key plain.key").names();
    EXPECT_THAT(names.common_names, ElementsAre("um.example.test", "second"));
    EXPECT_THAT(names.alternatives, IsEmpty());
}

TEST(ServedCertificate, IsTheOneForTheHostThatIsAskedFor) {
    const Server server(
        "-cert other.crt -key other.key -servername um.example.test -cert2 um.crt -key2 um.key");
    EXPECT_THAT(server.names("um.example.test").common_names, ElementsAre("um.example.test"));
    EXPECT_THAT(server.names("elsewhere.test").common_names, ElementsAre("other.example.test"));
}

TEST(ServedCertificate, MayStandInAFile) {
    EXPECT_THAT(OpensslCrypto().certificate_names(keys().path("um.crt"), "").alternatives,
                ElementsAre("um.example.test", "um"));
    EXPECT_THAT(failure_of("/nowhere.pem"), HasSubstr("open '/nowhere.pem': No such file"));
    EXPECT_THAT(failure_of(keys().path("um.key")), HasSubstr("um.key"));
}

TEST(ServedCertificate, IsMissedWhereNobodyListensOrNobodySpeaksTls) {
    const Listener silent;
    EXPECT_THAT(failure_of(silent.url()), HasSubstr("Connection refused"));
    silent.listen();
    std::thread clear_text([&] {
        const Fd client(::accept(silent.fd.get(), nullptr, nullptr));
        EXPECT_GT(::write(client.get(), "HTTP/1.1 400 Bad Request\r\n\r\n", 28), 0);
    });
    EXPECT_THAT(failure_of(silent.url()), HasSubstr("TLS with 127.0.0.1"));
    clear_text.join();
    EXPECT_THAT(failure_of("tls://nowhere.invalid:443"), HasSubstr("look up nowhere.invalid:443"));
}

TEST(ServedCertificate, IsNotWaitedForForEver) {
    const Listener silent; // accepts and stays silent
    silent.listen();
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(failure_of(silent.url()), HasSubstr("no answer in 10 s"));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}
