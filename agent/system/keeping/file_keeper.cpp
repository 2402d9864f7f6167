#include "system/keeping/file_keeper.hpp"

#include "failure.hpp"
#include "system/file.hpp"
#include "system/keeping/inventory.hpp"
#include "system/keeping/store.hpp"
#include "system/termination.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace um {
namespace {

constexpr std::uint64_t block = 4096;     // what a file system hands out, mostly
constexpr std::uint64_t name_size = 64;   // of a link in its directory
constexpr std::uint64_t entry_size = 256; // of an item in the list
constexpr int patience = 3;               // copies of a file that changes meanwhile

std::uint64_t ballast_size(const std::string& directory) {
    constexpr std::uint64_t most = 8UL * 1024 * 1024;
    struct statvfs status {};
    if (::statvfs(directory.c_str(), &status) < 0)
        throw SystemFailure(fmt::format("statvfs '{}'", directory), errno);
    return std::min<std::uint64_t>(most, status.f_blocks * status.f_frsize / 20);
}

std::string nearest_directory(std::string path) {
    while (path != "/" && !look_at(path))
        path = parent_of(path);
    return path;
}

KeepCost cost_of(Survey& survey) {
    KeepCost cost;
    for (const auto& store : survey.stores())
        cost.needs.push_back({store, ballast_size(nearest_directory(store)), 3});
    for (const auto& item : survey.items()) {
        auto& need = cost.needs[item.entry.store];
        if (item.keeping == Keeping::link) {
            ++cost.links;
            need.bytes += name_size;
        } else if (item.keeping == Keeping::copy) {
            ++cost.copies;
            ++need.files;
            cost.bytes += item.entry.size;
            need.bytes += (item.entry.size + block - 1) / block * block;
        }
    }
    for (auto& need : cost.needs) // the list stands in one of them; who knows which has room in each
        need.bytes += survey.items().size() * entry_size / cost.needs.size();
    cost.unkept.assign(survey.unkept().begin(), survey.unkept().end());
    return cost;
}

std::uint64_t taken_below(const std::string& path) {
    constexpr std::uint64_t unit = 512; // of st_blocks, stat(2)
    struct stat status {};
    if (::lstat(path.c_str(), &status) < 0)
        return 0; // ignoring: there is none, or it goes just now
    // Whatever has another name stays where that is.
    const bool alone = S_ISDIR(status.st_mode) || status.st_nlink == 1;
    auto bytes = alone ? static_cast<std::uint64_t>(status.st_blocks) * unit : 0;
    if (S_ISDIR(status.st_mode))
        for (const auto& name : names_in(path))
            bytes += taken_below(path + "/" + name);
    return bytes;
}

/// What discard() of this store makes free.
std::uint64_t given_back(const std::string& store) {
    return taken_below(kept_directory(store)) + taken_below(added_directory(store)) +
           taken_below(ballast_file(store));
}

/// None where it is gone, or a link leads to it: nobody may lead root elsewhere.
Fd open_directory(const std::string& path) {
    struct open_how how {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS;
    return Fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how)));
}

/// Whether nobody else can exchange what stands in it.
bool is_roots_alone(int directory) {
    struct stat status {};
    return ::fstat(directory, &status) == 0 && status.st_uid == 0 &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/// Makes stores and fills them.
class Filling {
public:
    explicit Filling(Survey& survey) : survey_(survey) {}

    void fill() {
        open_stores();
        for (; done_ < survey_.items().size(); ++done_)
            keep(survey_.items()[done_]);
    }

    void write_to_disk() {
        for (const auto& store : survey_.stores())
            sync_file_system(store);
    }

    std::vector<std::string>& torn() { return torn_; }

private:
    void open_stores() {
        for (; opened_ < survey_.stores().size(); ++opened_) {
            const auto& store = survey_.stores()[opened_];
            if (parent_of(store).find(store_name) != std::string::npos)
                make_directories(parent_of(store), 0700);
            make_directories(store, 0700);
            make_directories(kept_directory(store), 0700);
            const auto fd = open_file(ballast_file(store), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
            const auto size = static_cast<off_t>(ballast_size(store));
            const int error = size > 0 ? ::posix_fallocate(fd.get(), 0, size) : 0;
            if (error != 0)
                throw SystemFailure(fmt::format("allocate '{}'", ballast_file(store)), error);
        }
    }

    /// The directory that the next file goes to.
    int bucket(const Entry& entry) {
        const auto wanted = std::pair(entry.store, ++number_ / bucket_size);
        if (wanted != bucket_id_) {
            const auto path = bucket_of(survey_.stores()[entry.store], number_);
            make_directories(path, 0700);
            bucket_ = open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
            bucket_id_ = wanted;
        }
        return bucket_.get();
    }

    void keep(Item& item) {
        check_termination();
        auto& entry = item.entry;
        if (item.keeping == Keeping::nothing)
            return;
        const int directory = bucket(entry);
        entry.number = number_;
        if (item.keeping == Keeping::link && link(item, directory)) {
            entry.text =
                item.known_digest.empty() ? sha256_of_file(entry.path) : std::move(item.known_digest);
            return;
        }
        try { // also where a file system knows no links, or none of this file
            copy(item, kept_file(survey_.stores()[entry.store], number_));
        } catch (const SystemFailure&) {
            item.gone = !look_at(entry.path);
            if (!item.gone)
                throw;
        }
    }

    /// The directory is looked up once, not for each file: files come directory by directory.
    bool link(const Item& item, int directory) {
        const auto& path = item.entry.path;
        const auto name = path.rfind('/') + 1;
        if (path.compare(0, name, parent_name_) != 0) {
            parent_name_.assign(path, 0, name);
            parent_is_roots_ = false;
            parent_ = open_directory(parent_name_);
            if (!parent_) // Linux before 5.6 does not know how
                parent_ = Fd(::open(parent_name_.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            else
                parent_is_roots_ = is_roots_alone(parent_.get());
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

    /// Whether it was copied as it was looked at; one that was renamed into its place meanwhile was not.
    static bool copied_as_seen(const Item& item, const std::string& kept) {
        try {
            copy_file(item.entry.path, kept, item.id);
        } catch (const SystemFailure&) {
            return false; // who was exchanged is looked at again; whatever else it is happens once more
        }
        const auto now = look_at(item.entry.path);
        return now && now->inode == item.id.inode && now->entry.size == item.entry.size &&
               now->entry.modified_ns == item.entry.modified_ns;
    }

    void copy(Item& item, const std::string& kept) {
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

    Survey& survey_;
    std::size_t done_ = 0;
    std::size_t opened_ = 0;
    std::uint64_t number_ = 0;
    Fd parent_;               ///< the directory of the file that was linked last
    std::string parent_name_; ///< with the slash at its end
    bool parent_is_roots_ = false;
    Fd bucket_;
    std::pair<std::uint32_t, std::uint64_t> bucket_id_{UINT32_MAX, 0};
    std::vector<std::string> torn_;
};

/// As rpm does itself: who holds it writes alone.
std::vector<Fd> lock_databases(const std::vector<std::string>& directories) {
    std::vector<Fd> locks;
    for (const auto& directory : directories) {
        Fd fd(::open((directory + "/.rpm.lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) // nobody ever wrote here
            continue;
        struct flock lock {};
        lock.l_type = F_WRLCK;
        lock.l_whence = SEEK_SET;
        if (::fcntl(fd.get(), F_OFD_SETLK, &lock) < 0)
            throw Failure(Reason::packages_locked,
                          fmt::format("'{}' is locked: packages are being changed", directory),
                          "wait for its end, and start again");
        locks.push_back(std::move(fd));
    }
    return locks;
}

/// Who gives the space back must find every store, also when the keeping does not come to its end.
void list_stores(const std::string& directory, const std::vector<std::string>& stores) {
    std::string text;
    for (const auto& store : stores)
        text += store + "\n";
    replace_file(directory + "/stores", text);
}

/// Of nested trees the outermost is walked.
bool is_below_any(const std::string& path, std::initializer_list<const std::vector<std::string>*> roots) {
    return std::any_of(roots.begin(), roots.end(), [&](const auto* list) {
        return std::any_of(list->begin(), list->end(),
                           [&](const std::string& root) { return root != path && is_within(path, root); });
    });
}

std::int64_t nanoseconds_now() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

KeptFiles manifest_of(Survey& survey, std::int64_t begun_ns) {
    KeptFiles manifest;
    manifest.begun_ns = begun_ns;
    const auto& scope = survey.scope();
    manifest.stores = survey.stores();
    for (const auto* roots : {&scope.trees, &scope.databases, &scope.data})
        for (const auto& root : *roots)
            if (!is_below_any(root, {&scope.trees, &scope.databases, &scope.data}))
                manifest.trees.push_back(root);
    manifest.databases = scope.databases;
    manifest.excluded = scope.excluded;
    manifest.absent = survey.absent();
    std::set<std::string> gone; // and their other names
    for (const auto& item : survey.items())
        if (item.gone)
            gone.insert(item.entry.path);
    for (auto& item : survey.items())
        if (!item.gone && gone.count(item.entry.same_as) == 0)
            manifest.entries.push_back(std::move(item.entry));
    std::sort(manifest.entries.begin(), manifest.entries.end(),
              [](const Entry& left, const Entry& right) { return left.path < right.path; });
    return manifest;
}

} // namespace

std::string FileKeeper::directory(const std::string& id) {
    return base() + "/" + id;
}

KeepCost FileKeeper::cost(const KeepScope& scope) {
    Survey survey(scope, directory_, "ID");
    survey.look_at_system();
    survey.look_at_data();
    auto cost = cost_of(survey);
    const MountPoints mounts;
    for (const auto& id : all()) // they make room before anything is kept
        for (const auto& store : stores_of(id))
            for (auto& need : cost.needs)
                if (mounts.of(store).path == mounts.of(need.directory).path)
                    need.bytes -= std::min(need.bytes, given_back(store));
    return cost;
}

KeepCost FileKeeper::keep(const std::string& id, const KeepScope& scope, const Around& with_product_stopped) {
    const auto begun = nanoseconds_now();
    make_directories(base(), 0700);
    discard(id, Added::go); // what an attempt before left
    Survey survey(scope, directory_, id);
    Filling filling(survey);
    {
        const auto locks = lock_databases(survey.scope().databases);
        survey.look_at_system();
        list_stores(directory(id), survey.stores());
        filling.fill();
    }
    if (!scope.data.empty())
        with_product_stopped([&] {
            survey.look_at_data();
            list_stores(directory(id), survey.stores());
            filling.fill();
        });
    auto cost = cost_of(survey);
    cost.torn = filling.torn();
    const auto text = to_text(manifest_of(survey, begun));
    filling.write_to_disk();
    replace_file(directory(id) + "/manifest", text);
    return cost;
}

std::vector<std::string> FileKeeper::all() {
    return names_in(base());
}

std::vector<std::string> FileKeeper::kept() {
    auto ids = all();
    ids.erase(std::remove_if(ids.begin(), ids.end(),
                             [&](const std::string& id) { return !look_at(directory(id) + "/manifest"); }),
              ids.end());
    return ids;
}

std::vector<std::string> FileKeeper::stores_of(const std::string& id) {
    std::vector<std::string> stores;
    std::istringstream stream(read_file_if_there(directory(id) + "/stores", record_limit).value_or(""));
    for (std::string store; std::getline(stream, store);)
        stores.push_back(store);
    return stores;
}

std::vector<std::string> FileKeeper::set_aside(const std::string& id) {
    std::vector<std::string> found;
    for (const auto& store : stores_of(id))
        if (const auto data = data_directory(store); !names_in(data).empty())
            found.push_back(data);
    return found;
}

void FileKeeper::discard(const std::string& id, Added added) {
    const auto own = directory(id);
    remove_file(own + "/manifest"); // first: from now on it is no way back
    const auto stores = stores_of(id);
    for (const auto& store : stores) {
        for (const auto& path : {ballast_file(store), temporary_file(store)})
            remove_file(path);
        remove_tree(kept_directory(store));
        if (added == Added::go)
            remove_tree(added_directory(store));
    }
    const MountPoints mounts;
    const auto is_empty = [&](const std::string& store) {
        // One whose file system is not mounted now is given back when it is.
        const bool is_there =
            store == own || mounts.of(without_links(store)).path == parent_of(parent_of(store));
        return is_there && names_in(data_directory(store)).empty() &&
               names_in(added_directory(store)).empty();
    };
    for (const auto& store : stores)
        if (store != own && is_empty(store)) {
            remove_tree(store);
            if (names_in(parent_of(store)).empty())
                remove_file(parent_of(store));
        }
    if (std::all_of(stores.begin(), stores.end(), is_empty))
        remove_tree(own);
}

} // namespace um
