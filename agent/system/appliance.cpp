#include "system/appliance.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/guarded_path.hpp"
#include "base/termination.hpp"
#include "system/mount_points.hpp"
#include "system/process.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <netdb.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <thread>

namespace um {
namespace {

/// Packages and scripts of an upgrade write to these directories, hier(7).
bool is_of_the_system(const std::string& mount_point) {
    constexpr std::array<std::string_view, 6> directories{"/boot/", "/efi/", "/etc/",
                                                          "/opt/",  "/usr/", "/var/"};
    const auto path = mount_point + "/";
    return mount_point == "/" ||
           std::any_of(directories.begin(), directories.end(), [&](std::string_view directory) {
               return path.compare(0, directory.size(), directory) == 0;
           });
}

std::string kernel_text(const std::string& path) {
    auto text = read_file_if_there(path, 4096);
    if (!text)
        throw SystemFailure(fmt::format("open '{}'", path), ENOENT);
    while (!text->empty() && text->back() == '\n')
        text->pop_back();
    return *text;
}

/// run-parts(8) skips such files too.
bool is_left_over(const std::string& name) {
    constexpr std::string_view endings[] = {"~", ".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".bak"};
    return name.front() == '.' ||
           std::any_of(std::begin(endings), std::end(endings), [&](std::string_view ending) {
               return name.size() > ending.size() &&
                      name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
           });
}

std::string problem_with(const std::string& program) {
    try {
        const auto fd = open_guarded(program, Links::follow);
        return ::access(program.c_str(), X_OK) == 0 ? "" : "it cannot be executed";
    } catch (const std::runtime_error& error) {
        return error.what();
    }
}

} // namespace

CommandResult LinuxAppliance::run(const std::vector<std::string>& command, const std::string& user,
                                  std::chrono::seconds limit) {
    return run_process(command, user, limit);
}

bool LinuxAppliance::directory_exists(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool LinuxAppliance::is_plain_file(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

bool LinuxAppliance::program_exists(const std::string& name) {
    return !program_path(name).empty();
}

std::vector<AdminCheck> LinuxAppliance::admin_checks(const std::string& directory) {
    std::error_code error; // ignoring: without the directory there are no checks
    std::vector<AdminCheck> checks;
    for (std::filesystem::directory_iterator at(directory, error), end; at != end; at.increment(error))
        if (!is_left_over(at->path().filename().string()))
            checks.push_back({at->path().string(), problem_with(at->path().string())});
    std::sort(checks.begin(), checks.end(),
              [](const AdminCheck& left, const AdminCheck& right) { return left.path < right.path; });
    return checks;
}

Space LinuxAppliance::space(const std::string& path) {
    struct stat status {};
    struct statvfs volume {};
    if (::stat(path.c_str(), &status) < 0 || ::statvfs(path.c_str(), &volume) < 0)
        throw SystemFailure(fmt::format("free space of '{}'", path), errno);
    return {status.st_dev, static_cast<std::uint64_t>(volume.f_bavail) * volume.f_frsize,
            volume.f_files == 0 ? UINT64_MAX : volume.f_favail}; // some make inodes as required
}

std::string LinuxAppliance::boot_id() {
    return kernel_text("/proc/sys/kernel/random/boot_id");
}

void LinuxAppliance::sync() {
    // sync(2) would wait for a server that is away. It would also write to a disk that somebody has only
    // attached, and that may fail.
    const MountPoints mounts;
    for (const auto& [path, mount] : mounts.all()) {
        if (!mount.lasting || !mount.writable || !is_of_the_system(path))
            continue;
        const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
        if (!fd && (errno == ENOENT || errno == ENOTDIR)) // another mount hides it, also from the change
            continue;
        if (!fd || ::syncfs(fd.get()) < 0)
            throw SystemFailure(fmt::format("write '{}' to disk", path), errno);
    }
}

void LinuxAppliance::flush_journal() noexcept {
    try {
        constexpr std::chrono::seconds limit{60};
        run_process({"journalctl", "--sync"}, "", limit);
        // journald has received everything by now, but a thread of it calls fsync. The next message cancels
        // an fsync that has not begun (seen with systemd 252 on one processor).
        for (const auto& machine : std::filesystem::directory_iterator("/var/log/journal")) {
            const Fd fd(
                ::open((machine.path() / "system.journal").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
            if (fd && ::fsync(fd.get()) < 0)
                return; // ignoring: journald writes it later by itself
        }
    } catch (...) {
        // ignoring: journald writes it later by itself
    }
}

std::optional<std::uint64_t> LinuxAppliance::file_size(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) < 0 || !S_ISREG(status.st_mode))
        return std::nullopt;
    return static_cast<std::uint64_t>(status.st_size);
}

std::vector<LogFile> LinuxAppliance::files_below(const std::string& directory) {
    constexpr int deepest = 4;
    namespace fs = std::filesystem;
    std::vector<LogFile> files;
    std::error_code error; // ignoring: what cannot be read, or is removed meanwhile, is left out
    for (fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied, error),
         end;
         at != end; at.increment(error)) {
        if (at.depth() >= deepest)
            at.disable_recursion_pending();
        struct stat status {};
        if (::lstat(at->path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
            files.push_back({at->path().string(), static_cast<std::uint64_t>(status.st_size),
                             std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec),
                             fmt::format("{}:{}", status.st_dev, status.st_ino)});
    }
    return files;
}

bool LinuxAppliance::file_holds(const std::string& path, std::uint64_t from, std::uint64_t to,
                                const std::string& text) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    std::string seen; // the end of what was read before, where the text may begin
    std::array<char, 64UL * 1024> buffer{};
    while (fd && from < to) {
        check_termination();
        const auto got = ::pread(fd.get(), buffer.data(), std::min<std::uint64_t>(buffer.size(), to - from),
                                 static_cast<off_t>(from));
        if (got <= 0)
            return false;
        from += static_cast<std::uint64_t>(got);
        seen.append(buffer.data(), static_cast<std::size_t>(got));
        if (seen.find(text) != std::string::npos)
            return true;
        seen.erase(0, seen.size() - std::min(seen.size(), text.size()));
    }
    return false;
}

std::vector<std::string> LinuxAppliance::host_names() {
    std::vector<std::string> names{kernel_text("/proc/sys/kernel/hostname")};
    addrinfo hints{};
    hints.ai_flags = AI_CANONNAME;
    addrinfo* found = nullptr;
    if (::getaddrinfo(names.front().c_str(), nullptr, &hints, &found) == 0) {
        if (found->ai_canonname != nullptr && names.front() != found->ai_canonname)
            names.emplace_back(found->ai_canonname);
        ::freeaddrinfo(found);
    }
    return names;
}

std::string LinuxAppliance::kernel_release() {
    return kernel_text("/proc/sys/kernel/osrelease");
}

std::optional<std::string> LinuxAppliance::lock_holder(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd && errno == ENOENT)
        return std::nullopt; // no process ever locked it
    struct flock asked {};
    asked.l_type = F_RDLCK;
    asked.l_whence = SEEK_SET;
    if (!fd || ::fcntl(fd.get(), F_GETLK, &asked) < 0)
        throw SystemFailure(fmt::format("ask for the lock of '{}'", path), errno);
    if (asked.l_type == F_UNLCK) {
        // tdnf uses flock(2) instead, which does not name the holder. The shared lock ends with the
        // descriptor.
        if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0)
            return std::nullopt;
        if (errno != EWOULDBLOCK)
            throw SystemFailure(fmt::format("ask for the lock of '{}'", path), errno);
        return fmt::format("a process that locks '{}'", path);
    }
    auto name = read_file_if_there(fmt::format("/proc/{}/comm", asked.l_pid), 4096).value_or("?");
    name.erase(name.find_last_not_of('\n') + 1);
    return fmt::format("{} (process {})", name, asked.l_pid);
}

std::chrono::system_clock::time_point LinuxAppliance::now() {
    return std::chrono::system_clock::now();
}

std::chrono::microseconds LinuxAppliance::uptime() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
}

void LinuxAppliance::sleep(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    do {
        check_termination();
        std::this_thread::sleep_for(
            std::min<std::chrono::milliseconds>(time, std::chrono::milliseconds(200)));
    } while (std::chrono::steady_clock::now() < end);
}

std::string LinuxAppliance::new_id() {
    return kernel_text("/proc/sys/kernel/random/uuid");
}

std::string LinuxAppliance::operator_name() {
    if (const auto* name = std::getenv("SUDO_USER"); name != nullptr && *name != '\0')
        return name;
    const auto* entry = ::getpwuid(::getuid());
    return entry != nullptr ? entry->pw_name : std::to_string(::getuid());
}

} // namespace um
