#include "base/guarded_path.hpp"

#include "base/failure.hpp"

#include <array>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>
#include <vector>

namespace um {
namespace {

constexpr unsigned link_limit = 40; // the kernel's own limit, path_resolution(7)

struct stat status_of(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) < 0)
        throw SystemFailure(fmt::format("stat '{}'", path), errno);
    return status;
}

/// Write access to a file is enough to change it. Write access to a directory is enough to exchange what is
/// in it.
bool guarded(const struct stat& status) {
    return status.st_uid == 0 && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::string open_to_others(const std::string& path, const struct stat& status) {
    return fmt::format("'{}' could be changed by others than root (owner {}, mode {:04o})",
                       path.empty() ? "/" : path, status.st_uid, status.st_mode & 07777U);
}

std::string link_target(int fd, const std::string& path) {
    std::array<char, PATH_MAX> target{};
    const auto size = ::readlinkat(fd, "", target.data(), target.size());
    if (size < 0)
        throw SystemFailure(fmt::format("readlink '{}'", path), errno);
    return {target.data(), static_cast<std::size_t>(size)};
}

/// Adds the names of a path that are yet to be walked, the next one last.
void put_names(std::vector<std::string>& names, const std::string& path) {
    for (auto end = path.size(); end > 0;) {
        const auto slash = path.rfind('/', end - 1);
        const auto begin = slash == std::string::npos ? 0 : slash + 1;
        if (auto name = path.substr(begin, end - begin); !name.empty() && name != ".")
            names.push_back(std::move(name));
        end = slash == std::string::npos ? 0 : slash;
    }
}

/// Returns the descriptor (O_PATH) of the path's last name; none when a name on the way does not exist.
Fd walk(const std::string& path, Links links, struct stat& status) {
    const auto root = [] { return Fd(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)); };
    auto at = root();
    std::string here; // the path so far; empty at the root
    status = status_of(at.get(), "/");
    std::vector<std::string> names;
    put_names(names, path);
    for (unsigned followed = 0; !names.empty();) {
        if (!guarded(status))
            throw Unguarded(fmt::format("'{}' could be exchanged: {}", path, open_to_others(here, status)),
                            "keep it in a directory that only root can write to");
        const auto name = std::move(names.back());
        names.pop_back();
        Fd next(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next && errno == ENOENT)
            return {};
        const auto below = fmt::format("{}/{}", here, name);
        if (!next)
            throw SystemFailure(fmt::format("open '{}'", below), errno);
        status = status_of(next.get(), below);
        if (!S_ISLNK(status.st_mode)) {
            at = std::move(next);
            here = below;
            continue;
        }
        if (links == Links::refuse)
            throw Unguarded(fmt::format("'{}' is a symbolic link", below), "name the file behind it instead");
        if (++followed > link_limit)
            throw SystemFailure(fmt::format("open '{}'", path), ELOOP);
        const auto target = link_target(next.get(), below);
        put_names(names, target);
        if (target.rfind('/', 0) == 0) {
            at = root();
            here.clear();
        }
        status = status_of(at.get(), here);
    }
    if (!guarded(status))
        throw Unguarded(open_to_others(here, status),
                        "check where it came from, then 'chown root:root' and 'chmod go-w' it");
    return at;
}

} // namespace

Fd open_guarded(const std::string& path, Links links) {
    struct stat status {};
    const auto found = walk(path, links, status);
    if (!found)
        return {};
    // Nothing but a regular file is opened: opening a FIFO would hang, and a tape would rewind.
    if (!S_ISREG(status.st_mode))
        throw Unguarded(fmt::format("'{}' is no regular file", path), "put a plain file there");
    Fd file(::open(fmt::format("/proc/self/fd/{}", found.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!file)
        throw SystemFailure(fmt::format("open '{}'", path), errno);
    return file;
}

Fd open_guarded_directory(const std::string& path, Links links) {
    struct stat status {};
    auto found = walk(path, links, status);
    if (found && !S_ISDIR(status.st_mode))
        throw SystemFailure(fmt::format("open '{}'", path), ENOTDIR);
    return found;
}

} // namespace um
