#include "system/terminal_reader.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <sstream>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

namespace um {
namespace {

/// The content of a process's file under /proc; empty if the process is gone.
std::string look(const std::filesystem::path& path) {
    constexpr std::size_t limit = 4096;
    try {
        return read_file_if_there(path.string(), limit).value_or("");
    } catch (const SystemFailure&) {
        return {}; // it ended meanwhile, or is a kernel thread
    }
}

/// readline and `read -t` wait in select(2).
bool is_select(long number) {
#ifdef SYS_select
    if (number == SYS_select)
        return true;
#endif
    return number == SYS_pselect6;
}

/// `syscall` is like "0 0x0 0x7ffe… …": the system call in which the process is blocked, and its arguments.
/// It is "running" if there is none. If select(2) waits for several descriptors, the kernel does not show
/// which. One alone is standard input.
bool blocked_in_read(const std::string& syscall, unsigned& fd) {
    std::istringstream words(syscall);
    long number = -1;
    std::string first;
    std::string second;
    if (!(words >> number >> first >> second))
        return false;
    fd = number == SYS_read ? static_cast<unsigned>(std::strtoul(first.c_str(), nullptr, 16)) : 0;
    return number == SYS_read || (is_select(number) && first == "0x1" && second != "0x0");
}

bool is_same_terminal(const std::filesystem::path& fd, dev_t terminal) {
    struct stat status {};
    return ::stat(fd.c_str(), &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == terminal;
}

/// Compares tty_nr of /proc/PID/stat, which has the kernel's form. It is the fifth field after the second
/// one, and that one may hold anything.
bool has_terminal(const std::string& stat, dev_t terminal) {
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos)
        return false;
    std::istringstream words(stat.substr(name_end + 1));
    std::string state;
    long parent = 0;
    long group = 0;
    long session = 0;
    unsigned number = 0;
    words >> state >> parent >> group >> session >> number;
    const auto major_number = (number >> 8U) & 0xfffU;
    const auto minor_number = (number & 0xffU) | ((number >> 12U) & 0xfff00U);
    return words && gnu_dev_makedev(major_number, minor_number) == terminal;
}

bool reads(const std::filesystem::path& process, dev_t terminal) {
    unsigned fd = 0;
    if (!has_terminal(look(process / "stat"), terminal) || !blocked_in_read(look(process / "syscall"), fd))
        return false;
    const auto file = process / "fd" / std::to_string(fd);
    struct stat own {};
    // The process may have opened the terminal by its name or as /dev/tty.
    return is_same_terminal(file, terminal) ||
           (::stat("/dev/tty", &own) == 0 && is_same_terminal(file, own.st_rdev));
}

} // namespace

bool is_read(const std::string& terminal) {
    struct stat status {};
    if (::stat(terminal.c_str(), &status) < 0)
        return false;
    std::error_code error; // ignoring: without /proc nothing can be seen
    for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        const auto name = entry.path().filename().string();
        if (std::isdigit(static_cast<unsigned char>(name.front())) != 0 &&
            reads(entry.path(), status.st_rdev))
            return true;
    }
    return false;
}

} // namespace um
