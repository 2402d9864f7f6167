#include "system/libmount_mounts.hpp"

#include "system/file.hpp"

#include <array>
#include <blkid.h>
#include <cstdio>
#include <fcntl.h>
#include <libmount.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace um {
namespace {

using Probe = Handle<blkid_struct_probe, blkid_free_probe>;
using MountContext = Handle<libmnt_context, mnt_free_context>;

/// What libblkid finds on the medium must be ISO 9660 and nothing else.
void expect_iso9660(const OpenMedia& media) {
    const Probe probe(blkid_new_probe());
    if (!probe || blkid_probe_set_device(probe.get(), media.fd.get(), 0, 0) != 0)
        throw SystemFailure(fmt::format("probe '{}'", media.path), errno != 0 ? errno : ENOMEM);
    if (blkid_probe_enable_superblocks(probe.get(), 1) != 0 ||
        blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE) != 0)
        throw SystemFailure(fmt::format("prepare to probe '{}'", media.path));
    const int result = blkid_do_safeprobe(probe.get());
    const char* type = nullptr;
    if (result == 0 && blkid_probe_lookup_value(probe.get(), "TYPE", &type, nullptr) == 0 &&
        std::string_view(type) == "iso9660")
        return;
    const auto what = result == -2      ? std::string("more than one file system at once")
                      : result == 1     ? std::string("no file system that is known")
                      : type != nullptr ? std::string(type)
                                        : std::string("something unreadable");
    throw Failure(Reason::media_filesystem, fmt::format("'{}' holds {}, not ISO 9660", media.path, what),
                  "this is no upgrade ISO; download it again");
}

/// libmount's own words for a failure, such as "wrong fs type".
std::string mount_error(libmnt_context* context, int result) {
    std::array<char, 512> text{};
    mnt_context_get_excode(context, result, text.data(), text.size() - 1);
    return text.front() != '\0' ? text.data() : std::strerror(result < 0 ? -result : EIO);
}

MountContext new_context(const std::string& target) {
    MountContext context(mnt_new_context());
    if (!context || mnt_context_set_target(context.get(), target.c_str()) != 0)
        throw SystemFailure(fmt::format("prepare a mount on '{}'", target), ENOMEM);
    return context;
}

/// An unmount that fails leaves a read-only medium behind, which the next start takes over: it is said, and
/// ignored.
void unmount(const std::string& target) noexcept {
    try {
        const auto context = new_context(target);
        // The loop device clears itself: libmount sets LO_FLAGS_AUTOCLEAR when it makes one for a mount.
        if (const int result = mnt_context_umount(context.get()); result != 0)
            throw SystemFailure(fmt::format("umount '{}': {}", target, mount_error(context.get(), result)));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s, ignoring: the next start takes it over\n", error.what());
    }
}

std::uint64_t device_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) < 0)
        throw SystemFailure(fmt::format("stat '{}'", path), errno);
    return status.st_dev;
}

class LibmountMounted final : public Mounted {
public:
    explicit LibmountMounted(std::string target) : target_(std::move(target)), device_(device_of(target_)) {}
    LibmountMounted(const LibmountMounted&) = delete;
    LibmountMounted& operator=(const LibmountMounted&) = delete;
    ~LibmountMounted() override {
        if (!left_)
            unmount(target_);
    }
    std::uint64_t device() const override { return device_; }
    void leave() override { left_ = true; }

private:
    std::string target_;
    std::uint64_t device_;
    bool left_ = false;
};

/// The kernel's own name of a block device. /dev/block/MAJOR:MINOR is udev's work, and udev may be behind.
std::string device_node(dev_t device) {
    const auto link = fmt::format("/sys/dev/block/{}:{}", major(device), minor(device));
    std::array<char, 512> target{};
    const auto size = ::readlink(link.c_str(), target.data(), target.size());
    if (size < 0)
        throw SystemFailure(fmt::format("readlink '{}'", link), errno);
    const std::string_view path(target.data(), static_cast<std::size_t>(size));
    return fmt::format("/dev/{}", path.substr(path.rfind('/') + 1));
}

/// The mounted file system lies on a loop device over the very inode that was verified, or on that very
/// drive.
void expect_same_medium(const OpenMedia& media, std::uint64_t mounted) {
    const auto device = static_cast<dev_t>(mounted);
    bool same = false;
    const auto loop = open_file(device_node(device), O_RDONLY | O_NONBLOCK);
    loop_info64 info{};
    const bool is_loop = ::ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0;
    if (is_loop && media.drive)
        same = info.lo_rdevice == media.device;
    else if (is_loop)
        same = info.lo_device == media.device && info.lo_inode == media.inode;
    else
        same = media.drive && mounted == media.device;
    if (!same)
        throw Failure(Reason::media_changed,
                      fmt::format("what was mounted is not '{}' as it was authenticated", media.path),
                      "somebody exchanged the medium meanwhile; find out who, and start again");
}

} // namespace

std::unique_ptr<Mounted> LibmountMounts::mount(const OpenMedia& media, const std::string& target) {
    expect_iso9660(media);
    make_directories(target, 0700);
    const auto context = new_context(target);
    // By descriptor, not by name: whatever stands at the path now, what was verified is mounted.
    const auto source = fmt::format("/proc/self/fd/{}", media.fd.get());
    if (mnt_context_disable_canonicalize(context.get(), 1) != 0 ||
        mnt_context_set_source(context.get(), source.c_str()) != 0 ||
        mnt_context_set_fstype(context.get(), "iso9660") != 0 ||
        mnt_context_set_options(context.get(), "loop,ro,nosuid,nodev") != 0)
        throw SystemFailure(fmt::format("prepare to mount '{}'", media.path), ENOMEM);
    const int result = mnt_context_mount(context.get());
    if (result != 0)
        throw Failure(
            Reason::media_filesystem,
            fmt::format("mount '{}' on '{}': {}", media.path, target, mount_error(context.get(), result)),
            "look at 'dmesg'");
    auto mounted = std::make_unique<LibmountMounted>(target);
    expect_same_medium(media, mounted->device());
    return mounted;
}

std::unique_ptr<Mounted> LibmountMounts::adopt(const std::string& target) {
    if (!device_at(target))
        return nullptr;
    return std::make_unique<LibmountMounted>(target);
}

std::optional<std::uint64_t> LibmountMounts::device_at(const std::string& target) {
    struct stat here {};
    struct stat above {};
    if (::stat(target.c_str(), &here) < 0) {
        if (errno == ENOENT)
            return std::nullopt;
        throw SystemFailure(fmt::format("stat '{}'", target), errno);
    }
    if (::stat((target + "/..").c_str(), &above) < 0)
        throw SystemFailure(fmt::format("stat '{}/..'", target), errno);
    if (here.st_dev == above.st_dev)
        return std::nullopt;
    return here.st_dev;
}

} // namespace um
