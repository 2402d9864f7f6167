#include "system/pty_terminal.hpp"

#include "system/file.hpp"
#include "system/process.hpp"
#include "system/terminal_reader.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

namespace um {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 100;
/// How long the rest of the output is read after the program's end.
constexpr std::chrono::seconds last_words{2};

struct Pty {
    Fd master;
    std::string slave;
};

Pty open_pty() {
    Pty pty{Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)), {}};
    std::array<char, 128> name{};
    if (!pty.master || ::grantpt(pty.master.get()) < 0 || ::unlockpt(pty.master.get()) < 0 ||
        ::ptsname_r(pty.master.get(), name.data(), name.size()) != 0)
        throw SystemFailure("open a pseudo-terminal", errno);
    pty.slave = name.data();
    const winsize size{50, 160, 0, 0}; // package managers cut their lines to it
    if (::ioctl(pty.master.get(), TIOCSWINSZ, &size) < 0)
        throw SystemFailure(fmt::format("set the size of '{}'", pty.slave), errno);
    return pty;
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const ExecArguments& arguments, const char* terminal) {
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
        std::signal(signal, SIG_DFL);
    if (::setsid() < 0)
        ::_exit(126);
    const int fd = ::open(terminal, O_RDWR); // the first one opened becomes the controlling terminal
    if (fd < 0 || ::dup2(fd, STDIN_FILENO) < 0 || ::dup2(fd, STDOUT_FILENO) < 0 ||
        ::dup2(fd, STDERR_FILENO) < 0)
        ::_exit(126);
    if (fd > STDERR_FILENO)
        ::close(fd);
    arguments.execute();
    ::_exit(127);
}

/// The program and its session: asked to end, then made to, when an exception passes.
class Program {
public:
    explicit Program(pid_t pid) : pid_(pid) {}
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        if (pid_ <= 0)
            return;
        ::kill(-pid_, SIGHUP); // as a terminal that goes away; errors mean that it has ended
        for (int tick = 0; tick < 100 && !ended(); ++tick)
            ::usleep(tick_ms * 1000);
        if (pid_ <= 0)
            return;
        ::kill(-pid_, SIGKILL);
        while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
        }
    }

    bool ended() {
        if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_)
            pid_ = -1;
        return pid_ <= 0;
    }
    int status() const { return exit_status(status_); }

private:
    pid_t pid_;
    int status_ = 0;
};

/// Nothing when the terminal has no reader or writer left (EIO), or nothing came within a tick.
std::optional<std::string> read_some(int master, bool& closed) {
    pollfd waiting{master, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, tick_ms);
    if (ready < 0 && errno != EINTR)
        throw SystemFailure("poll", errno);
    if (ready <= 0)
        return std::nullopt;
    std::array<char, 16384> buffer{};
    const auto got = ::read(master, buffer.data(), buffer.size());
    if (got > 0)
        return std::string(buffer.data(), static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR && errno != EIO)
        throw SystemFailure("read from the pseudo-terminal", errno);
    closed = got == 0 || errno == EIO;
    return std::nullopt;
}

} // namespace

int PtyTerminal::run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                     const Session& session) {
    const auto pty = open_pty();
    slave_ = pty.slave;
    const ExecArguments arguments(command, environment);
    const auto pid = ::fork();
    if (pid < 0)
        throw SystemFailure("fork", errno);
    if (pid == 0)
        become(arguments, pty.slave.c_str());
    Program program(pid);
    bool closed = false;
    auto heard = Clock::now();
    std::optional<Clock::time_point> end; ///< of the program, when it was seen
    for (;;) {
        // Asked before reading: what came before the end is still read, what a daemon left behind holds is
        // not, and one that keeps talking is not listened to for long.
        const bool ended = program.ended();
        if (ended && !end)
            end = Clock::now();
        const bool deaf = closed || (end && Clock::now() - *end > last_words);
        if (const auto output = deaf ? std::nullopt : read_some(pty.master.get(), closed)) {
            heard = Clock::now();
            session.on_output(*output);
            continue;
        }
        if (ended)
            return program.status();
        if (closed)
            ::usleep(tick_ms * 1000); // it closed its terminal, and works on
        const auto quiet = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - heard);
        if (const auto reply = session.on_quiet(quiet)) {
            write_all(pty.master.get(), *reply, pty.slave);
            heard = Clock::now();
        }
    }
}

bool PtyTerminal::awaits_input() {
    return is_read(slave_);
}

} // namespace um
