#include "cli/run_lock.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"

#include <fcntl.h>

namespace um {
namespace {

std::string lock_in(const std::string& runtime_directory) {
    return runtime_directory + "/lock";
}

struct flock whole_file() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

} // namespace

Fd take_run_lock(Appliance& appliance, const std::string& runtime_directory, std::chrono::seconds patience) {
    make_directories(runtime_directory, 0755);
    auto fd = open_file(lock_in(runtime_directory), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    const auto give_up = appliance.uptime() + patience;
    for (auto wanted = whole_file(); ::fcntl(fd.get(), F_OFD_SETLK, &wanted) < 0; wanted = whole_file()) {
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            throw SystemFailure(fmt::format("lock '{}'", lock_in(runtime_directory)), errno);
        if (appliance.uptime() >= give_up)
            throw Failure(Reason::busy, "another um-upgrade is running",
                          "watch it with 'um-upgrade status --follow'");
        appliance.sleep(std::chrono::milliseconds(100));
    }
    return fd;
}

bool is_run_locked(const std::string& runtime_directory) {
    const Fd fd(::open(lock_in(runtime_directory).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    auto asked = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
}

} // namespace um
