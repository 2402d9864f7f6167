#include "system/keeping/file_status.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/path.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

namespace um {
namespace {

constexpr std::int64_t nanoseconds = 1'000'000'000;
constexpr std::size_t buffer_size = 1024UL * 1024;

[[noreturn]] void fail(const char* verb, const std::string& path, int error = errno) {
    throw SystemFailure(fmt::format("{} '{}'", verb, path), error);
}

EntryKind kind_of(std::uint32_t mode) {
    if (S_ISREG(mode))
        return EntryKind::file;
    if (S_ISDIR(mode))
        return EntryKind::directory;
    return S_ISLNK(mode) ? EntryKind::symlink : EntryKind::node;
}

std::string target_of(const std::string& path) {
    std::string target(PATH_MAX, '\0');
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0)
        fail("readlink", path);
    target.resize(static_cast<std::size_t>(length));
    return target;
}

/// A file system without extended attributes is no failure: its files have none.
bool has_no_attributes(int error) {
    return error == ENOTSUP || error == ENOSYS;
}

std::string attribute(const std::string& path, const std::string& name) {
    for (;;) {
        const auto size = ::lgetxattr(path.c_str(), name.c_str(), nullptr, 0);
        if (size < 0 && errno == ENODATA)
            return {}; // removed since it was listed
        if (size < 0)
            fail("lgetxattr", path);
        std::string value(static_cast<std::size_t>(size), '\0');
        const auto got = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
        if (got == size)
            return value;
        if (got < 0 && errno != ERANGE) // ERANGE: it has grown, so it is measured again
            fail("lgetxattr", path);
    }
}

Attributes attributes_of(const std::string& path) {
    std::array<char, 4096> small{};
    auto size = ::llistxattr(path.c_str(), small.data(), small.size());
    std::string names;
    if (size > 0)
        names.assign(small.data(), static_cast<std::size_t>(size));
    if (size < 0 && errno == ERANGE) {
        names.resize(XATTR_LIST_MAX);
        size = ::llistxattr(path.c_str(), names.data(), names.size());
        names.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    }
    if (size < 0 && !has_no_attributes(errno))
        fail("llistxattr", path);
    Attributes attributes;
    for (std::size_t at = 0; at < names.size();) {
        const std::string name = names.c_str() + at;
        at += name.size() + 1;
        attributes.emplace_back(name, attribute(path, name));
    }
    std::sort(attributes.begin(), attributes.end());
    return attributes;
}

bool is_there_no_more_data(int error) {
    return error == ENXIO;
}

void copy_range(int from, int to, off_t begin, off_t end, const std::string& name) {
    std::string buffer;
    for (auto at = begin; at < end;) {
        auto in = at;
        auto out = at;
        const auto wanted = static_cast<std::size_t>(end - at);
        auto done = buffer.empty() ? ::copy_file_range(from, &in, to, &out, wanted, 0) : -1;
        if (done <= 0) { // older kernels cannot copy across file systems, others return 0 for special files
            buffer.resize(buffer_size);
            done = ::pread(from, buffer.data(), std::min(buffer.size(), wanted), at);
            if (done < 0)
                fail("read", name);
            if (done == 0) // the file became shorter
                return;
            for (ssize_t wrote = 0; wrote < done;) {
                const auto more =
                    ::pwrite(to, buffer.data() + wrote, static_cast<std::size_t>(done - wrote), at + wrote);
                if (more < 0)
                    fail("write a copy of", name);
                wrote += more;
            }
        }
        at += done;
    }
}

std::uint32_t flags_of(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
    unsigned flags = 0;
    return fd && ::ioctl(fd.get(), FS_IOC_GETFLAGS, &flags) == 0 ? flags : 0;
}

void set_flags(const std::string& path, std::uint32_t wanted) {
    const auto fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    unsigned flags = wanted;
    if (::ioctl(fd.get(), FS_IOC_SETFLAGS, &flags) < 0)
        fail("change the flags of", path);
}

constexpr std::uint32_t protecting = FS_IMMUTABLE_FL | FS_APPEND_FL;

} // namespace

std::optional<FileStatus> look_at(const std::string& path) {
    struct statx status {};
    if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &status) <
        0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return std::nullopt;
        fail("statx", path);
    }
    FileStatus seen;
    auto& entry = seen.entry;
    entry.path = path;
    entry.mode = status.stx_mode;
    entry.kind = kind_of(status.stx_mode);
    entry.uid = status.stx_uid;
    entry.gid = status.stx_gid;
    entry.modified_ns = status.stx_mtime.tv_sec * nanoseconds + status.stx_mtime.tv_nsec;
    if (entry.kind == EntryKind::file)
        entry.size = status.stx_size;
    if (entry.kind == EntryKind::node)
        entry.size = makedev(status.stx_rdev_major, status.stx_rdev_minor);
    if ((status.stx_attributes & STATX_ATTR_IMMUTABLE) != 0)
        entry.flags |= FS_IMMUTABLE_FL;
    if ((status.stx_attributes & STATX_ATTR_APPEND) != 0)
        entry.flags |= FS_APPEND_FL;
    try {
        if (entry.kind == EntryKind::symlink)
            entry.text = target_of(path);
        entry.attributes = attributes_of(path);
    } catch (const SystemFailure&) {
        if (::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            return std::nullopt; // removed meanwhile
        throw;
    }
    seen.device = makedev(status.stx_dev_major, status.stx_dev_minor);
    seen.inode = status.stx_ino;
    seen.links = status.stx_nlink;
    return seen;
}

void copy_file(const std::string& from, const std::string& to, std::optional<FileId> expected) {
    const auto source = open_file(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat status {};
    if (::fstat(source.get(), &status) < 0)
        fail("fstat", from);
    if (!S_ISREG(status.st_mode) ||
        (expected && (status.st_dev != expected->device || status.st_ino != expected->inode)))
        throw SystemFailure(fmt::format("'{}' was exchanged while it was looked at", from));
    const auto target = open_file(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (::ioctl(target.get(), FICLONE, source.get()) == 0)
        return;
    for (off_t at = 0; at < status.st_size;) {
        const auto data = ::lseek(source.get(), at, SEEK_DATA);
        if (data < 0 && is_there_no_more_data(errno))
            break;
        const auto begin = data < 0 ? at : data; // the file system reports no holes
        const auto hole = data < 0 ? -1 : ::lseek(source.get(), begin, SEEK_HOLE);
        const auto end = hole < 0 ? status.st_size : hole;
        copy_range(source.get(), target.get(), begin, end, from);
        at = end;
    }
    if (::ftruncate(target.get(), status.st_size) < 0)
        fail("ftruncate a copy of", from);
}

bool same_attributes(const Entry& left, const Entry& right) {
    const bool time = left.kind == EntryKind::symlink || left.kind == EntryKind::directory ||
                      left.modified_ns == right.modified_ns;
    const bool mode = left.kind == EntryKind::symlink ? S_ISLNK(right.mode) : left.mode == right.mode;
    return mode && left.uid == right.uid && left.gid == right.gid && left.flags == right.flags &&
           left.attributes == right.attributes && time;
}

void give_attributes(const std::string& path, const Entry& entry) {
    auto now = look_at(path);
    if (!now)
        fail("look at", path, ENOENT);
    if (now->entry.flags != 0 &&
        (!same_attributes(now->entry, entry) || now->entry.modified_ns != entry.modified_ns))
        unprotect(path);
    const bool owner = now->entry.uid != entry.uid || now->entry.gid != entry.gid;
    if (owner && ::lchown(path.c_str(), entry.uid, entry.gid) < 0)
        fail("chown", path);
    const bool link = entry.kind == EntryKind::symlink;
    // chown(2) clears set-uid bits and capabilities, so mode and attributes follow it.
    if (!link && (owner || now->entry.mode != entry.mode) && ::chmod(path.c_str(), entry.mode & 07777U) < 0)
        fail("chmod", path);
    if (owner)
        now->entry.attributes = attributes_of(path);
    for (const auto& [name, value] : now->entry.attributes)
        if (std::none_of(entry.attributes.begin(), entry.attributes.end(),
                         [&, &wanted = name](const auto& other) { return other.first == wanted; }) &&
            ::lremovexattr(path.c_str(), name.c_str()) < 0)
            fail("lremovexattr", path);
    for (const auto& [name, value] : entry.attributes)
        if (std::find(now->entry.attributes.begin(), now->entry.attributes.end(), std::pair(name, value)) ==
                now->entry.attributes.end() &&
            ::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) < 0)
            fail("lsetxattr", path);
    const struct timespec times[] = {
        {0, UTIME_OMIT},
        {static_cast<time_t>(entry.modified_ns / nanoseconds - (entry.modified_ns % nanoseconds < 0 ? 1 : 0)),
         static_cast<long>((entry.modified_ns % nanoseconds + nanoseconds) % nanoseconds)}};
    if (now->entry.modified_ns != entry.modified_ns &&
        ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) < 0)
        fail("utimensat", path);
    if (entry.flags != 0)
        set_flags(path, flags_of(path) | entry.flags);
}

bool unprotect(const std::string& path) {
    const auto flags = flags_of(path);
    if ((flags & protecting) == 0)
        return false;
    set_flags(path, flags & ~protecting);
    return true;
}

namespace {

/// The flags of the directory prevent a rename or removal, too.
bool unprotect_with_parent(const std::string& path) {
    const bool file = unprotect(path);
    const bool directory = unprotect(parent_of(path));
    return file || directory;
}

} // namespace

void rename_file(const std::string& from, const std::string& to) {
    while (::rename(from.c_str(), to.c_str()) < 0) {
        const int error = errno;
        if (error != EPERM || !(unprotect_with_parent(from) || unprotect_with_parent(to)))
            throw SystemFailure(fmt::format("rename '{}' to '{}'", from, to), error);
    }
}

void remove_file(const std::string& path) {
    Fd file; // kept open, because its other names get their flags back
    unsigned flags = 0;
    while (::remove(path.c_str()) < 0) {
        const int error = errno;
        if (error == ENOENT)
            return;
        if (!file) {
            file = Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY));
            flags = flags_of(path);
        }
        if (error != EPERM || !unprotect_with_parent(path))
            fail("remove", path, error);
    }
    struct stat status {};
    if (file && (flags & protecting) != 0 && ::fstat(file.get(), &status) == 0 && status.st_nlink > 0 &&
        ::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) < 0)
        fail("change the flags of", path);
}

void sync_file_system(const std::string& path) {
    const auto fd = open_file(path, O_RDONLY | O_DIRECTORY);
    if (::syncfs(fd.get()) < 0)
        fail("syncfs", path);
}

} // namespace um
