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

constexpr int patience = 3; // copies of a file that changes meanwhile

/// None where it is gone, or a link leads to it: nobody may lead root elsewhere.
Fd open_directory(const std::string& path) {
    struct open_how how {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS;
    return Fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
}

/// Whether nobody else can exchange anything that stands in it.
bool only_root_writes(int directory) {
    struct stat status {};
    return ::fstat(directory, &status) == 0 && status.st_uid == 0 &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Whether it was copied as it was looked at; one that was renamed into its place meanwhile was not.
bool copied_as_seen(const Item& item, const std::string& kept) {
    try {
        copy_file(item.entry.path, kept, item.id);
    } catch (const SystemFailure&) {
        return false; // who was exchanged is looked at again; whatever else it is happens once more
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

/// https://bford.info/cachedir: what tar, borg, restic and others can leave out.
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
    try { // also where a file system knows no links, or none of this file
        copy(item, kept_file(list_.stores()[entry.store], number_));
    } catch (const SystemFailure&) {
        item.gone = !look_at(entry.path);
        if (!item.gone)
            throw;
    }
}

/// The directory is looked up once, not for each file: files come directory by directory.
bool Filling::link(const Item& item, int directory) {
    const auto& path = item.entry.path;
    const auto name = path.rfind('/') + 1;
    if (path.compare(0, name, parent_name_) != 0) {
        parent_name_.assign(path, 0, name);
        parent_is_roots_ = false;
        parent_ = open_directory(parent_name_);
        if (!parent_) // Linux before 5.6 does not know how
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
    ::unlinkat(directory, kept.c_str(), 0); // the copy takes its place, whatever it is
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
        if (i == patience) { // it is alive
            copy_file(item.entry.path, kept, item.id);
            torn_.push_back(item.entry.path);
            item.entry.size = look_at(kept).value().entry.size;
            break;
        }
    }
    item.entry.copied = true;
    auto attributes = item.entry;
    attributes.flags = 0; // what is protected cannot be linked
    give_attributes(kept, attributes);
    item.entry.text = item.known_digest.empty() ? sha256_of_file(kept) : item.known_digest;
}

} // namespace um
