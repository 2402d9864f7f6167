#include "system/libmount_mounts.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/guarded_path.hpp"
#include "system/loop_device.hpp"

#include <array>
#include <blkid.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <libmount.h>
#include <sys/stat.h>

namespace um {
namespace {

using Probe = Handle<blkid_struct_probe, blkid_free_probe>;
using MountContext = Handle<libmnt_context, mnt_free_context>;
using MountTable = Handle<libmnt_table, mnt_unref_table>;

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
    return text.front() != '\0' ? text.data() : std::strerror(std::abs(result));
}

MountContext new_context(const std::string& target) {
    MountContext context(mnt_new_context());
    if (!context || mnt_context_set_target(context.get(), target.c_str()) != 0)
        throw SystemFailure(fmt::format("prepare a mount on '{}'", target), ENOMEM);
    return context;
}

/// What is mounted at a path. If there are several mounts on top of each other, it is the uppermost.
struct Standing {
    std::string type; ///< of the file system, as the kernel calls it
    std::uint64_t device = 0;
};

std::optional<Standing> standing_at(const std::string& target) {
    const MountTable table(mnt_new_table_from_file("/proc/self/mountinfo"));
    if (!table)
        throw SystemFailure("read '/proc/self/mountinfo'", errno);
    auto* found = mnt_table_find_target(table.get(), target.c_str(), MNT_ITER_BACKWARD);
    if (found == nullptr)
        return std::nullopt;
    const char* type = mnt_fs_get_fstype(found);
    return Standing{type != nullptr ? type : "", mnt_fs_get_devno(found)};
}

/// The loop device then clears itself, because LoopDevice sets LO_FLAGS_AUTOCLEAR.
void unmount(const std::string& target) {
    const auto context = new_context(target);
    if (const int result = mnt_context_umount(context.get()); result != 0)
        throw SystemFailure(fmt::format("umount '{}': {}", target, mount_error(context.get(), result)));
}

class LibmountMounted final : public Mounted {
public:
    explicit LibmountMounted(std::string target) : target_(std::move(target)) {}
    LibmountMounted(const LibmountMounted&) = delete;
    LibmountMounted& operator=(const LibmountMounted&) = delete;
    ~LibmountMounted() override {
        if (left_)
            return;
        try {
            unmount(target_);
        } catch (const std::exception& error) { // a read-only medium that stays does no harm
            std::fprintf(stderr, "%s, ignoring: the next start unmounts it\n", error.what());
        }
    }
    std::uint64_t device() const override {
        struct stat status {};
        if (::stat(target_.c_str(), &status) < 0)
            throw SystemFailure(fmt::format("stat '{}'", target_), errno);
        return status.st_dev;
    }
    void leave() override { left_ = true; }

private:
    std::string target_;
    bool left_ = false;
};

/// Other users must not be able to move a mount point that is in use. A link would hide it from the mount
/// table.
void make_mount_point(const std::string& target) {
    make_directories(target, 0700);
    try {
        open_guarded_directory(target, Links::refuse);
    } catch (const Unguarded& error) {
        throw Failure(Reason::media_insecure, error.what(), "choose another [media] mount_point");
    }
    std::error_code error;
    const bool empty = std::filesystem::is_empty(target, error);
    if (error)
        throw SystemFailure(fmt::format("read '{}'", target), error.value());
    if (!empty) // programs that use those files would miss them
        throw Failure(Reason::media_filesystem, fmt::format("'{}' is not empty, and would be hidden", target),
                      "move away what is in it, or choose another [media] mount_point");
}

} // namespace

std::unique_ptr<Mounted> LibmountMounts::mount(const OpenMedia& media, const std::string& target) {
    expect_iso9660(media);
    make_mount_point(target);
    // The loop device takes the descriptor, not the name. So what was verified is mounted, whatever is at the
    // path now. If anything fails, the loop device goes with this object.
    const LoopDevice loop(media.fd.get(), media.path);
    const auto context = new_context(target);
    if (mnt_context_set_source(context.get(), loop.node().c_str()) != 0 ||
        mnt_context_set_fstype(context.get(), "iso9660") != 0 ||
        mnt_context_set_options(context.get(), "ro,nosuid,nodev") != 0)
        throw SystemFailure(fmt::format("prepare to mount '{}'", media.path), ENOMEM);
    const int result = mnt_context_mount(context.get());
    if (result != 0)
        throw Failure(
            Reason::media_filesystem,
            fmt::format("mount '{}' on '{}': {}", media.path, target, mount_error(context.get(), result)),
            "look at 'dmesg'");
    auto mounted = std::make_unique<LibmountMounted>(target);
    if (mounted->device() != loop.device())
        throw Failure(
            Reason::media_changed,
            fmt::format("what is mounted on '{}' is not '{}' as it was authenticated", target, media.path),
            "somebody mounts there at the same time; find out who, and start again");
    return mounted;
}

bool LibmountMounts::clear(const std::string& target) {
    bool any = false;
    while (const auto standing = standing_at(target)) {
        if (standing->type != "iso9660")
            throw Failure(
                Reason::media_filesystem,
                fmt::format("'{}' has a file system mounted on it already ({})", target, standing->type),
                "unmount it, or choose another [media] mount_point");
        try {
            unmount(target);
        } catch (const SystemFailure& failure) {
            throw Failure(Reason::media_filesystem,
                          fmt::format("media that were mounted earlier are in use: {}", failure.what()),
                          fmt::format("leave '{}' in every shell, then 'umount' it", target));
        }
        any = true;
    }
    return any;
}

std::unique_ptr<Mounted> LibmountMounts::adopt(const std::string& target) {
    if (!device_at(target))
        return nullptr;
    return std::make_unique<LibmountMounted>(target);
}

std::optional<std::uint64_t> LibmountMounts::device_at(const std::string& target) {
    const auto standing = standing_at(target);
    return standing ? std::optional(standing->device) : std::nullopt;
}

} // namespace um
