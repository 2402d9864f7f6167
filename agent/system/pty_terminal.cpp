#include "system/pty_terminal.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "system/process.hpp"
#include "system/terminal_reader.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

namespace um {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 100;
/// How long the rest of the output is read after the program's end.
constexpr std::chrono::seconds last_words{2};

Fd open_master() {
    Fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master || ::grantpt(master.get()) < 0 || ::unlockpt(master.get()) < 0)
        throw SystemFailure("open a pseudo-terminal", errno);
    const winsize size{50, 160, 0, 0}; // package managers cut their lines to this size
    if (::ioctl(master.get(), TIOCSWINSZ, &size) < 0)
        throw SystemFailure("set the size of a pseudo-terminal", errno);
    return master;
}

std::string slave_of(int master) {
    std::array<char, 128> name{};
    if (::ptsname_r(master, name.data(), name.size()) != 0)
        throw SystemFailure("open a pseudo-terminal", errno);
    return name.data();
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

/// The program and its session. If an exception passes, they get SIGHUP, and SIGKILL at most 10 seconds
/// later.
class Program {
public:
    explicit Program(pid_t pid) : pid_(pid) {}
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program() {
        if (pid_ <= 0)
            return;
        ::kill(-pid_, SIGHUP); // like a terminal that goes away; an error means that it has ended
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

/// Returns nothing if nothing came within a tick, or if the terminal was hung up (EIO).
std::optional<std::string> read_some(int master) {
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
    ::usleep(tick_ms * 1000);
    return std::nullopt;
}

} // namespace

int PtyTerminal::run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                     const Session& session) {
    master_ = open_master();
    name_ = slave_of(master_.get());
    slave_ = open_file(name_, O_RDWR);
    const ExecArguments arguments(command, environment);
    const auto pid = ::fork();
    if (pid < 0)
        throw SystemFailure("fork", errno);
    if (pid == 0)
        become(arguments, name_.c_str());
    Program program(pid);
    auto heard = Clock::now();
    std::optional<Clock::time_point> end; ///< when the program's end was seen
    for (;;) {
        // This is asked before reading, so that output from before the end is still read. A daemon that stays
        // behind and holds the terminal is not waited for. If it continues to print, it is not read for long.
        const bool ended = program.ended();
        if (ended && !end)
            end = Clock::now();
        const bool deaf = end && Clock::now() - *end > last_words;
        if (const auto output = deaf ? std::nullopt : read_some(master_.get())) {
            heard = Clock::now();
            session.on_output(*output);
            continue;
        }
        if (ended) {
            slave_.reset();
            master_.reset();
            return program.status();
        }
        const auto quiet = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - heard);
        if (const auto reply = session.on_quiet(quiet)) {
            write_all(master_.get(), *reply, name_);
            heard = Clock::now();
        }
    }
}

/// A process that reads may have printed something that is not read yet. Then its question is not the one
/// that was heard, and this returns false.
bool PtyTerminal::awaits_input() {
    if (!is_read(name_))
        return false;
    pollfd unheard{master_.get(), POLLIN, 0};
    return ::poll(&unheard, 1, 0) == 0;
}

bool PtyTerminal::reads_keys() {
    termios mode{};
    return ::tcgetattr(slave_.get(), &mode) == 0 && (mode.c_lflag & ICANON) == 0;
}

} // namespace um
