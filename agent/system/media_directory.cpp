#include "system/media_directory.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/guarded_path.hpp"
#include "base/path.hpp"
#include "system/cdrom.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <sys/vfs.h>

namespace um {
namespace {

constexpr std::size_t sidecar_limit = 1024UL * 1024; // bytes; a manifest is a line, a certificate a few KiB

/// Files on these file systems can change elsewhere without this kernel's knowledge: NFS, SMB, 9P, FUSE,
/// Ceph, AFS, Coda, VirtualBox's and VMware's folders (f_type, statfs(2)). Older headers do not name them
/// all.
constexpr std::array<std::uint32_t, 12> foreign_file_systems{0x6969,     0x517B,     0xFF534D42, 0xFE534D42,
                                                             0x01021997, 0x65735546, 0x00C36400, 0x5346414F,
                                                             0x6B414653, 0x73757245, 0x786F4256, 0xBACBACBC};

struct stat status_of(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) < 0)
        throw Failure(Reason::media_unreadable, fmt::format("stat '{}': {}", path, std::strerror(errno)));
    return status;
}

void expect_local(int fd, const std::string& path) {
    struct statfs system {};
    if (::fstatfs(fd, &system) < 0)
        throw SystemFailure(fmt::format("statfs '{}'", path), errno);
    const auto type = static_cast<std::uint32_t>(system.f_type);
    if (std::find(foreign_file_systems.begin(), foreign_file_systems.end(), type) !=
        foreign_file_systems.end())
        throw Unguarded(
            fmt::format("'{}' is on a network or user-space file system, where it could be changed "
                        "unseen",
                        path),
            "copy it to /var/lib/um-upgrade/media");
}

/// While the lease is held, a process that opens the file for writing must wait, and the lease shows it
/// (fcntl(2)). Returns false if the file system has no leases. Then size and times must be enough.
bool take_lease(int fd, const std::string& path) {
    // A lease's own signal, SIGIO, would end the process. SIGURG is ignored by default.
    if (::fcntl(fd, F_SETSIG, SIGURG) < 0)
        throw SystemFailure(fmt::format("set the signal of a lease on '{}'", path), errno);
    if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
        return true;
    if (errno == EAGAIN)
        throw Unguarded(fmt::format("'{}' is open for writing", path),
                        "wait until whoever copies it there has done");
    return false;
}

/// Opens an ISO or a sidecar. The descriptor is empty if there is no such file.
Fd open_media_file(const std::string& path, bool& leased) {
    try {
        auto fd = open_guarded(path, Links::refuse);
        if (fd) {
            expect_local(fd.get(), path);
            leased = take_lease(fd.get(), path);
        }
        return fd;
    } catch (const Unguarded& error) {
        throw Failure(Reason::media_insecure, error.what(), error.hint());
    } catch (const SystemFailure& error) {
        throw Failure(Reason::media_unreadable, error.what(), "copy it there again");
    }
}

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// What has happened to a file since it was opened; empty if nothing has.
std::string change_of(const OpenMedia& media) {
    const auto status = status_of(media.fd.get(), media.path);
    if (static_cast<std::uint64_t>(status.st_size) != media.size)
        return fmt::format("'{}' has {} bytes now, and had {}", media.path, status.st_size, media.size);
    if (nanoseconds(status.st_mtim) != media.modified_ns)
        return fmt::format("'{}' was written to", media.path);
    if (status.st_nlink == 0)
        return fmt::format("'{}' was removed or replaced", media.path);
    if (nanoseconds(status.st_ctim) != media.attributed_ns)
        return fmt::format("'{}' was renamed, replaced, or its owner or mode was changed", media.path);
    if (media.leased && ::fcntl(media.fd.get(), F_GETLEASE) != F_RDLCK)
        return fmt::format("'{}' was opened for writing", media.path);
    return {};
}

} // namespace

std::vector<std::string> FileMedia::matches(const std::string& pattern) {
    glob_t found{};
    const int result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
    std::vector<std::string> paths;
    if (result == 0)
        paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    ::globfree(&found);
    if (result != 0 && result != GLOB_NOMATCH)
        throw SystemFailure(fmt::format("look for '{}'", pattern), errno);
    paths.erase(
        std::remove_if(paths.begin(), paths.end(),
                       [](const std::string& path) { return is_device(path) && !holds_medium(path); }),
        paths.end());
    std::sort(paths.begin(), paths.end());
    return paths;
}

OpenMedia FileMedia::open(const std::string& path) {
    if (is_device(path))
        return open_drive(path);
    OpenMedia media;
    media.path = path;
    media.fd = open_media_file(path, media.leased);
    if (!media.fd)
        throw Failure(Reason::media_none, fmt::format("'{}' is no longer there", path),
                      "put the media there again, and leave them alone until the upgrade has ended");
    const auto status = status_of(media.fd.get(), path);
    media.size = static_cast<std::uint64_t>(status.st_size);
    media.modified_ns = nanoseconds(status.st_mtim);
    media.attributed_ns = nanoseconds(status.st_ctim);
    return media;
}

std::optional<std::string> FileMedia::read_sidecar(const std::string& path) {
    bool leased = false;
    const auto fd = open_media_file(path, leased);
    if (!fd)
        return std::nullopt;
    const auto size = status_of(fd.get(), path).st_size;
    if (static_cast<std::uint64_t>(size) > sidecar_limit)
        throw Failure(Reason::media_unreadable,
                      fmt::format("'{}' is larger than a sidecar can be ({} bytes)", path, size),
                      "download it again");
    try {
        return read_all(fd.get(), sidecar_limit, path);
    } catch (const SystemFailure& failure) {
        throw Failure(Reason::media_unreadable, failure.what(), "download it again");
    }
}

void FileMedia::expect_unchanged(const OpenMedia& media) {
    const auto change = !media.drive ? change_of(media)
                        : medium_exchanged(media)
                            ? fmt::format("the medium in '{}' was exchanged", media.path)
                            : std::string();
    if (!change.empty())
        throw Failure(Reason::media_changed, change + " while it was in use",
                      "leave the media alone until the upgrade has ended, and start it again");
}

} // namespace um
