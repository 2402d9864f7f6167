#include "system/media_directory.hpp"

#include "system/file.hpp"

#include <fcntl.h>
#include <glob.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace um {
namespace {

constexpr std::size_t sidecar_limit = 1024UL * 1024; // bytes; a manifest is a line, a certificate a few KiB

struct stat status_of(int fd, const std::string& path) {
    struct stat status {};
    if (::fstat(fd, &status) < 0)
        throw Failure(Reason::media_unreadable, fmt::format("stat '{}': {}", path, std::strerror(errno)));
    return status;
}

/// Whoever may write to a file may change it after it was checked.
void expect_ours(const struct stat& status, const std::string& path) {
    if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        throw Failure(Reason::media_insecure,
                      fmt::format("'{}' could be changed by others than root (owner {}, mode {:04o})", path,
                                  status.st_uid, status.st_mode & 07777U),
                      fmt::format("'chown root:root' and 'chmod 0600' it, and check where it came from"));
}

Fd open_regular(const std::string& path, struct stat& status) {
    // O_NONBLOCK: opening a FIFO that somebody left there must not hang.
    Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    if (!fd && errno == ELOOP)
        throw Failure(Reason::media_insecure, fmt::format("'{}' is a symbolic link", path),
                      "put the file itself there");
    if (!fd)
        throw Failure(errno == ENOENT ? Reason::media_none : Reason::media_unreadable,
                      fmt::format("open '{}': {}", path, std::strerror(errno)));
    status = status_of(fd.get(), path);
    if (!S_ISREG(status.st_mode))
        throw Failure(Reason::media_insecure, fmt::format("'{}' is no regular file", path),
                      "put a plain file there");
    expect_ours(status, path);
    return fd;
}

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

bool is_block_device(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
}

/// A drive opens for reading only with a medium in it.
bool holds_medium(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        return false;
    int drive = ::ioctl(fd.get(), CDROM_DRIVE_STATUS, CDSL_CURRENT);
    for (int tick = 0; drive == CDS_DRIVE_NOT_READY && tick < 50;
         ++tick) { // it spins up: just booted, or just inserted
        ::usleep(100'000);
        drive = ::ioctl(fd.get(), CDROM_DRIVE_STATUS, CDSL_CURRENT);
    }
    return drive < 0 || drive == CDS_DISC_OK; // no CD-ROM drive: a disk always holds its medium
}

OpenMedia open_drive(const std::string& path) {
    OpenMedia media;
    media.path = path;
    media.drive = true;
    media.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!media.fd)
        throw Failure(errno == ENOMEDIUM ? Reason::media_none : Reason::media_unreadable,
                      fmt::format("open '{}': {}", path, std::strerror(errno)),
                      "put the upgrade ISO into the drive");
    const auto status = status_of(media.fd.get(), path);
    if (::ioctl(media.fd.get(), BLKGETSIZE64, &media.size) < 0)
        throw Failure(Reason::media_unreadable, fmt::format("size of '{}': {}", path, std::strerror(errno)));
    media.device = status.st_rdev;
    // Clears what the drive reports of the time before: from here on a change is a change under our hands. A
    // disk knows no such call, ignoring: its medium cannot be changed.
    static_cast<void>(::ioctl(media.fd.get(), CDROM_MEDIA_CHANGED, CDSL_CURRENT));
    return media;
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
                       [](const std::string& path) { return is_block_device(path) && !holds_medium(path); }),
        paths.end());
    std::sort(paths.begin(), paths.end());
    return paths;
}

OpenMedia FileMedia::open(const std::string& path) {
    if (is_block_device(path))
        return open_drive(path);
    struct stat status {};
    OpenMedia media;
    media.fd = open_regular(path, status);
    media.path = path;
    media.size = static_cast<std::uint64_t>(status.st_size);
    media.device = status.st_dev;
    media.inode = status.st_ino;
    media.modified_ns = nanoseconds(status.st_mtim);
    return media;
}

std::optional<std::string> FileMedia::read_sidecar(const std::string& path) {
    struct stat status {};
    try {
        const auto fd = open_regular(path, status);
        if (static_cast<std::uint64_t>(status.st_size) > sidecar_limit)
            throw Failure(
                Reason::media_unreadable,
                fmt::format("'{}' is larger than a sidecar can be ({} bytes)", path, status.st_size),
                "download it again");
        return read_all(fd.get(), sidecar_limit, path);
    } catch (const Failure& failure) {
        if (failure.reason() == Reason::media_none)
            return std::nullopt;
        throw;
    } catch (const SystemFailure& failure) {
        throw Failure(Reason::media_unreadable, failure.what(), "download it again");
    }
}

void FileMedia::expect_unchanged(const OpenMedia& media) {
    const auto status = status_of(media.fd.get(), media.path);
    if (media.drive) {
        if (::ioctl(media.fd.get(), CDROM_MEDIA_CHANGED, CDSL_CURRENT) != 1)
            return;
    } else if (static_cast<std::uint64_t>(status.st_size) == media.size &&
               nanoseconds(status.st_mtim) == media.modified_ns) {
        return;
    }
    throw Failure(Reason::media_changed, fmt::format("'{}' was changed while it was in use", media.path),
                  "leave the media alone until the upgrade has ended, and start it again");
}

} // namespace um
