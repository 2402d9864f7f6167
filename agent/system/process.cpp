#include "system/process.hpp"

#include "base/failure.hpp"
#include "base/fd.hpp"
#include "base/termination.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace um {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Identity {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::string home;
};

Identity identity_of(const std::string& user) {
    errno = 0;
    const auto* entry = ::getpwnam(user.c_str());
    if (entry == nullptr)
        throw SystemFailure(fmt::format("there is no user '{}'", user));
    Identity identity{entry->pw_uid, entry->pw_gid, std::vector<gid_t>(64), entry->pw_dir};
    int count = static_cast<int>(identity.groups.size());
    if (::getgrouplist(user.c_str(), entry->pw_gid, identity.groups.data(), &count) < 0) {
        identity.groups.resize(static_cast<std::size_t>(count));
        if (::getgrouplist(user.c_str(), entry->pw_gid, identity.groups.data(), &count) < 0)
            throw SystemFailure(fmt::format("the groups of '{}' cannot be listed", user));
    }
    identity.groups.resize(static_cast<std::size_t>(count));
    return identity;
}

std::pair<Fd, Fd> make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0)
        throw SystemFailure("pipe", errno);
    return {Fd(ends[0]), Fd(ends[1])};
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const ExecArguments& arguments, const Identity* identity, int input, int output,
                         int errors) {
    ::setsid(); // its group can be ended as one, and another user's program cannot reach root's terminal
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE})
        std::signal(signal, SIG_DFL);
    if (::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0 ||
        ::dup2(errors, STDERR_FILENO) < 0)
        ::_exit(126);
    if (identity != nullptr &&
        (::setgroups(identity->groups.size(), identity->groups.data()) < 0 || ::setgid(identity->gid) < 0 ||
         ::setuid(identity->uid) < 0 || ::chdir("/") < 0))
        ::_exit(126);
    arguments.execute();
    ::_exit(127);
}

void signal_group(pid_t group, int signal) noexcept {
    if (::kill(-group, signal) < 0)
        ::kill(group, signal); // it may not have made its group yet; an error means that it has ended
}

/// Whether the process has ended. Its status is not taken.
bool has_ended(pid_t pid) noexcept {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

/// SIGTERM comes first, so that rpm gives back its locks and its place in a database. A request to end this
/// process is not looked at, because it may be the reason for the call.
void end_group(pid_t group) noexcept {
    constexpr std::chrono::seconds grace{10};
    signal_group(group, SIGTERM);
    for (const auto give_up = Clock::now() + grace; !has_ended(group) && Clock::now() < give_up;)
        ::usleep(20'000);
    signal_group(group, SIGKILL); // also what is left of the group
}

int wait_for(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            throw SystemFailure("waitpid", errno);
    return status;
}

/// Ends and reaps a process that still runs when an exception passes.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0)
            return;
        end_group(pid_);
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    int wait() { return wait_for(std::exchange(pid_, -1)); }
    /// Waits for the end without taking the status yet. Returns false at the deadline. Throws Terminated.
    bool ends_before(Clock::time_point deadline) const {
        while (!has_ended(pid_)) {
            check_termination();
            if (Clock::now() >= deadline)
                return false;
            ::usleep(20'000);
        }
        return true;
    }
    pid_t pid() const { return pid_; }

private:
    pid_t pid_;
};

/// One output of a program, as it arrives.
struct Stream {
    const Fd& fd;
    std::string& text;
    bool ended = false;

    void read_some() {
        std::array<char, 16384> buffer{};
        const auto got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            return;
        if (got < 0)
            throw SystemFailure("read from a child process", errno);
        ended = got == 0;
        const auto room = output_limit - std::min(output_limit, text.size());
        text.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    }
};

/// Collects until both outputs end. Returns false at the deadline. Throws SystemFailure and Terminated.
bool collect(std::array<Stream, 2> streams, Clock::time_point deadline) {
    while (!streams[0].ended || !streams[1].ended) {
        check_termination();
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        if (left <= 0)
            return false;
        std::array<pollfd, 2> waiting{};
        for (std::size_t i = 0; i < streams.size(); ++i) // poll() ignores descriptors below 0
            waiting[i] = {streams[i].ended ? -1 : streams[i].fd.get(), POLLIN, 0};
        const int ready =
            ::poll(waiting.data(), waiting.size(), static_cast<int>(std::min<std::int64_t>(left, 1000)));
        if (ready < 0 && errno != EINTR)
            throw SystemFailure("poll", errno);
        if (ready <= 0)
            continue;
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (waiting[i].revents != 0)
                streams[i].read_some();
    }
    return true;
}

/// Where a program may be: at the given path, or along the PATH.
std::vector<std::string> places_of(const std::string& program) {
    if (program.find('/') != std::string::npos)
        return {program};
    const auto* variable = std::getenv("PATH");
    const std::string path = variable != nullptr && *variable != '\0' ? variable : default_path;
    std::vector<std::string> places;
    for (std::size_t at = 0; at <= path.size();) {
        const auto end = std::min(path.find(':', at), path.size());
        if (end > at) // an empty part would mean the working directory
            places.push_back(fmt::format("{}/{}", path.substr(at, end - at), program));
        at = end + 1;
    }
    return places;
}

} // namespace

std::string program_path(const std::string& name) {
    for (auto& place : places_of(name))
        if (::access(place.c_str(), X_OK) == 0)
            return place;
    return {};
}

ExecArguments::ExecArguments(const std::vector<std::string>& command,
                             const std::vector<std::string>& environment)
    : candidates_(places_of(command.at(0))) {
    for (const auto& word : command)
        arguments_.push_back(const_cast<char*>(word.c_str())); // execve() takes char* and changes nothing
    arguments_.push_back(nullptr);
    for (const auto& variable : environment)
        environment_.push_back(const_cast<char*>(variable.c_str()));
    environment_.push_back(nullptr);
}

void ExecArguments::execute() const noexcept {
    for (const auto& candidate : candidates_)
        ::execve(candidate.c_str(), arguments_.data(), environment_.data());
}

CommandResult run_process(const std::vector<std::string>& command, const std::string& user,
                          std::chrono::seconds limit) {
    std::optional<Identity> identity;
    if (!user.empty())
        identity = identity_of(user);
    const auto* own_path = std::getenv("PATH");
    const std::string path = own_path != nullptr ? own_path : default_path;
    const std::vector<std::string> environment{
        "PATH=" + path, "HOME=" + (identity ? identity->home : "/root"), "USER=" + (identity ? user : "root"),
        "LOGNAME=" + (identity ? user : "root"), "LANG=C.UTF-8"};
    const ExecArguments arguments(command, environment);
    const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing)
        throw SystemFailure("open '/dev/null'", errno);
    auto [output, output_end] = make_pipe();
    auto [errors, errors_end] = make_pipe();

    const auto pid = ::fork();
    if (pid < 0)
        throw SystemFailure("fork", errno);
    if (pid == 0)
        become(arguments, identity ? &*identity : nullptr, nothing.get(), output_end.get(), errors_end.get());
    Child child(pid);
    output_end.reset();
    errors_end.reset();

    CommandResult result;
    const auto deadline = Clock::now() + limit;
    // A program may close its output and continue to run.
    result.timed_out = !collect({{{output, result.output}, {errors, result.errors}}}, deadline) ||
                       !child.ends_before(deadline);
    if (result.timed_out)
        end_group(child.pid());
    result.status = exit_status(child.wait());
    if (result.status == 127 && result.said().empty())
        result.errors = fmt::format("'{}' cannot be run", command.at(0));
    return result;
}

int exit_status(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

} // namespace um
