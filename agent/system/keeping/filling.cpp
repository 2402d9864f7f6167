#include "system/keeping/filling.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/sha256.hpp"
#include "base/termination.hpp"
#include "system/keeping/file_status.hpp"
#include "system/keeping/store.hpp"

#include <algorithm>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace um {
namespace {

constexpr int patience = 3; // repeated copies of a file that changes meanwhile

/// None if the directory is gone or a symlink leads to it. Nobody may lead root elsewhere.
Fd open_directory(const std::string& path) {
    struct open_how how {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS;
    return Fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
}

/// Whether only root can exchange what is in the directory.
bool only_root_writes(int directory) {
    struct stat status {};
    return ::fstat(directory, &status) == 0 && status.st_uid == 0 &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// False if the copy failed, or if the file is not the one that was looked at: changed, or replaced by a
/// rename.
bool copied_as_seen(const Item& item, const std::string& kept) {
    try {
        copy_file(item.entry.path, kept, item.id);
    } catch (const SystemFailure&) {
        return false; // an exchanged file is looked at again; any other failure occurs again
    }
    const auto now = look_at(item.entry.path);
    return now && now->inode == item.id.inode && now->entry.size == item.entry.size &&
           now->entry.modified_ns == item.entry.modified_ns;
}

} // namespace

std::uint64_t ballast_size(const std::string& directory) {
    constexpr std::uint64_t most = 8UL * 1024 * 1024;
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) < 0)
        throw SystemFailure(fmt::format("statvfs '{}'", directory), errno);
    return std::min<std::uint64_t>(most, status.f_blocks * status.f_frsize / 20);
}

/// Tells tar, borg, restic and others that they can leave the directory out: https://bford.info/cachedir.
constexpr auto backup_tag =
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# um-upgrade keeps the files of the old system here, by links: no backup needs them.\n";

void Filling::fill() {
    open_stores();
    for (; done_ < list_.items().size(); ++done_)
        keep(list_.items()[done_]);
}

void Filling::write_to_disk() const {
    for (const auto& store : list_.stores())
        sync_file_system(store);
}

void Filling::open_stores() {
    for (; opened_ < list_.stores().size(); ++opened_) {
        const auto& store = list_.stores()[opened_];
        if (parent_of(store).find(store_name) != std::string::npos)
            make_directories(parent_of(store), 0700);
        make_directories(store, 0700);
        make_directories(kept_directory(store), 0700);
        replace_file(kept_directory(store) + "/CACHEDIR.TAG", backup_tag);
        const auto fd = open_file(ballast_file(store), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
        const auto size = static_cast<off_t>(ballast_size(store));
        const int error = size > 0 ? ::posix_fallocate(fd.get(), 0, size) : 0;
        if (error != 0)
            throw SystemFailure(fmt::format("allocate '{}'", ballast_file(store)), error);
    }
}

int Filling::bucket(const Entry& entry) {
    const auto wanted = std::pair(entry.store, ++number_ / bucket_size);
    if (wanted != bucket_id_) {
        const auto path = bucket_of(list_.stores()[entry.store], number_);
        make_directories(path, 0700);
        bucket_ = open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
        bucket_id_ = wanted;
    }
    return bucket_.get();
}

void Filling::keep(Item& item) {
    check_termination();
    auto& entry = item.entry;
    if (item.keeping == Keeping::nothing)
        return;
    const int directory = bucket(entry);
    entry.number = number_;
    if (item.keeping == Keeping::link && link(item, directory)) {
        entry.text = item.known_digest.empty() ? sha256_of_file(entry.path) : std::move(item.known_digest);
        return;
    }
    try { // the file system may have no hard links, or refuse this one
        copy(item, kept_file(list_.stores()[entry.store], number_));
    } catch (const SystemFailure&) {
        item.gone = !look_at(entry.path);
        if (!item.gone)
            throw;
    }
}

/// Files come directory by directory, so each directory is looked up only once.
bool Filling::link(const Item& item, int directory) {
    const auto& path = item.entry.path;
    const auto name = path.rfind('/') + 1;
    if (path.compare(0, name, parent_name_) != 0) {
        parent_name_.assign(path, 0, name);
        parent_is_roots_ = false;
        parent_ = open_directory(parent_name_);
        if (!parent_) // Linux before 5.6 has no openat2(2)
            parent_ = Fd(::open(parent_name_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        else
            parent_is_roots_ = only_root_writes(parent_.get());
    }
    const auto kept = std::to_string(number_);
    if (::linkat(parent_.get(), path.c_str() + name, directory, kept.c_str(), 0) < 0)
        return false;
    struct stat linked {};
    if (parent_is_roots_ || (::fstatat(directory, kept.c_str(), &linked, AT_SYMLINK_NOFOLLOW) == 0 &&
                             linked.st_dev == item.id.device && linked.st_ino == item.id.inode))
        return true;
    ::unlinkat(directory, kept.c_str(), 0); // another file was linked: the path is copied
    return false;
}

void Filling::copy(Item& item, const std::string& kept) {
    for (int i = 0; !copied_as_seen(item, kept); ++i) {
        auto now = look_at(item.entry.path);
        if (!now || now->entry.kind != EntryKind::file)
            throw SystemFailure(fmt::format("'{}' is gone", item.entry.path));
        now->entry.store = item.entry.store;
        now->entry.number = item.entry.number;
        now->entry.set_aside = item.entry.set_aside;
        item = {std::move(now->entry), item.keeping, {now->device, now->inode}};
        if (i == patience) { // it never stops changing: this copy must do
            copy_file(item.entry.path, kept, item.id);
            torn_.push_back(item.entry.path);
            item.entry.size = look_at(kept).value().entry.size;
            break;
        }
    }
    item.entry.copied = true;
    auto attributes = item.entry;
    attributes.flags = 0; // a rollback may link it, and a protected file cannot be linked
    give_attributes(kept, attributes);
    item.entry.text = item.known_digest.empty() ? sha256_of_file(kept) : item.known_digest;
}

} // namespace um
