#include "system/cdrom.hpp"

#include "base/failure.hpp"
#include "base/termination.hpp"

#include <fcntl.h>
#include <linux/cdrom.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace um {
namespace {

constexpr int spin_up_ticks = 50; // of 0.1 s

[[noreturn]] void unreadable(const std::string& verb, const std::string& path) {
    throw Failure(Reason::media_unreadable, fmt::format("{} '{}': {}", verb, path, std::strerror(errno)),
                  "attach the upgrade ISO to the drive again");
}

bool is_block_device(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISBLK(status.st_mode);
}

/// /dev/cdrom is a link. It is followed only once, and its target is opened by descriptor later.
struct stat locate(const std::string& path, Fd& place) {
    place = Fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat status {};
    if (!place && errno == ENOENT)
        throw Failure(Reason::media_none, fmt::format("there is no '{}'", path), "name a drive that exists");
    if (!place || ::fstat(place.get(), &status) < 0)
        unreadable("open", path);
    return status;
}

/// A path that opens the same inode, whatever the original name leads to now.
std::string by_descriptor(const Fd& fd) {
    return fmt::format("/proc/self/fd/{}", fd.get());
}

std::uint64_t size_of(const OpenMedia& media) {
    std::uint64_t size = 0; // bytes
    if (::ioctl(media.fd.get(), BLKGETSIZE64, &size) < 0)
        unreadable("ask the size of", media.path);
    return size;
}

/// Since Linux 5.15 the kernel numbers every medium that it sees in any drive. Before that this is 0.
std::uint64_t generation_of(int fd) {
    std::uint64_t number = 0;
#ifdef BLKGETDISKSEQ
    if (::ioctl(fd, BLKGETDISKSEQ, &number) < 0)
        number = 0;
#else
    static_cast<void>(fd);
#endif
    return number;
}

} // namespace

bool holds_medium(const std::string& path) {
    if (!is_block_device(path))
        return false;
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd)
        return false;
    int drive = ::ioctl(fd.get(), CDROM_DRIVE_STATUS, CDSL_CURRENT);
    for (int tick = 0; drive == CDS_DRIVE_NOT_READY && tick < spin_up_ticks;
         ++tick) { // just booted, or just inserted
        check_termination();
        ::usleep(100'000);
        drive = ::ioctl(fd.get(), CDROM_DRIVE_STATUS, CDSL_CURRENT);
    }
    return drive < 0 || drive == CDS_DISC_OK; // no CD-ROM drive: a disk always holds its medium
}

OpenMedia open_drive(const std::string& path) {
    Fd place;
    const auto status = locate(path, place);
    if (!S_ISBLK(status.st_mode))
        throw Failure(Reason::media_insecure, fmt::format("'{}' is no drive", path),
                      "media as files belong into /var/lib/um-upgrade/media");
    OpenMedia media;
    media.path = path;
    media.drive = true;
    media.fd = Fd(::open(by_descriptor(place).c_str(), O_RDONLY | O_CLOEXEC));
    if (!media.fd && errno == ENOMEDIUM)
        throw Failure(Reason::media_none, fmt::format("no medium is in '{}'", path),
                      "put the upgrade ISO into the drive");
    if (!media.fd)
        unreadable("open", path);
    // Others can write to a disk, or to a loop device over any file, and the agent would not notice.
    if (::ioctl(media.fd.get(), CDROM_GET_CAPABILITY, 0) < 0)
        throw Failure(Reason::media_insecure, fmt::format("'{}' is no CD-ROM drive", path),
                      "attach the ISO to a CD-ROM drive, or put it into /var/lib/um-upgrade/media");
    media.size = size_of(media);
    // This discards what the drive reports about the time before. From now on a reported change is one during
    // the upgrade.
    static_cast<void>(::ioctl(media.fd.get(), CDROM_MEDIA_CHANGED, CDSL_CURRENT));
    media.generation = generation_of(media.fd.get());
    return media;
}

bool medium_exchanged(const OpenMedia& media) {
    // Opening it makes the kernel ask the drive. That fails if the medium is gone.
    const Fd again(::open(by_descriptor(media.fd).c_str(), O_RDONLY | O_CLOEXEC));
    if (!again || generation_of(again.get()) != media.generation || size_of(media) != media.size)
        return true;
    // Before Linux 5.15 there is only this event, and only the first process that asks gets it.
    return ::ioctl(media.fd.get(), CDROM_MEDIA_CHANGED, CDSL_CURRENT) != 0;
}

} // namespace um
