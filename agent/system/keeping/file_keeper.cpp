#include "system/keeping/file_keeper.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/text.hpp"
#include "system/keeping/filling.hpp"
#include "system/keeping/roll_back.hpp"
#include "system/keeping/store.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>

namespace um {
namespace {

constexpr std::uint64_t block = 4096;     // bytes; the unit in which most file systems allocate
constexpr std::uint64_t name_size = 64;   // bytes that a link takes in its directory
constexpr std::uint64_t entry_size = 256; // bytes of an item in the list

std::string nearest_directory(std::string path) {
    while (path != "/" && !look_at(path))
        path = parent_of(path);
    return path;
}

KeepCost cost_of(KeepList& list) {
    KeepCost cost;
    for (const auto& store : list.stores())
        cost.needs.push_back({parent_of(store), ballast_size(nearest_directory(store)), 4});
    for (const auto& item : list.items()) {
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
    for (auto& need : cost.needs) // the list is on one of them; each bears an equal share
        need.bytes += list.items().size() * entry_size / cost.needs.size();
    cost.unkept.assign(list.unkept().begin(), list.unkept().end());
    return cost;
}

std::uint64_t taken_below(const std::string& path) {
    constexpr std::uint64_t unit = 512; // bytes; of st_blocks, stat(2)
    struct stat status {};
    if (::lstat(path.c_str(), &status) < 0)
        return 0; // ignoring: it does not exist, or it is being removed right now
    // A file with another name keeps its blocks.
    const bool alone = S_ISDIR(status.st_mode) || status.st_nlink == 1;
    auto bytes = alone ? static_cast<std::uint64_t>(status.st_blocks) * unit : 0;
    if (S_ISDIR(status.st_mode))
        for (const auto& name : names_in(path))
            bytes += taken_below(path_in(path, name));
    return bytes;
}

/// The bytes that discard() of this store frees.
std::uint64_t given_back(const std::string& store) {
    return taken_below(kept_directory(store)) + taken_below(added_directory(store)) +
           taken_below(ballast_file(store));
}

/// Takes the lock that rpm itself takes, so that nobody else writes meanwhile. Throws Failure
/// (packages.locked).
std::vector<Fd> lock_databases(const std::vector<std::string>& directories) {
    std::vector<Fd> locks;
    for (const auto& directory : directories) {
        Fd fd(::open((directory + "/.rpm.lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        if (!fd) // rpm never wrote here
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

/// discard() must find every store, even if keeping is interrupted.
void list_stores(const std::string& directory, const std::vector<std::string>& stores) {
    replace_file(directory + "/stores", to_lines(stores));
}

/// Only the outermost of nested trees is walked.
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

KeptFiles kept_files_of(KeepList& list, std::int64_t begun_ns) {
    KeptFiles kept;
    kept.begun_ns = begun_ns;
    const auto& scope = list.scope();
    kept.stores = list.stores();
    for (const auto* roots : {&scope.trees, &scope.databases, &scope.data})
        for (const auto& root : *roots)
            if (!is_below_any(root, {&scope.trees, &scope.databases, &scope.data}))
                kept.trees.push_back(root);
    kept.databases = scope.databases;
    kept.excluded = scope.excluded;
    kept.absent = list.absent();
    std::set<std::string> gone; // other names of these files go as well
    for (const auto& item : list.items())
        if (item.gone)
            gone.insert(item.entry.path);
    for (auto& item : list.items())
        if (!item.gone && gone.count(item.entry.same_as) == 0)
            kept.entries.push_back(std::move(item.entry));
    std::sort(kept.entries.begin(), kept.entries.end(),
              [](const Entry& left, const Entry& right) { return left.path < right.path; });
    return kept;
}

} // namespace

std::string FileKeeper::directory(const std::string& id) {
    return base() + "/" + id;
}

KeepCost FileKeeper::cost(const KeepScope& scope) {
    KeepList list(scope, directory_, "ID");
    list.look_at_system();
    list.look_at_data();
    auto cost = cost_of(list);
    const MountPoints mounts;
    for (const auto& id : all()) // their space is freed before anything is kept
        for (const auto& store : stores_of(id))
            for (auto& need : cost.needs)
                if (mounts.of(store).path == mounts.of(need.directory).path)
                    need.bytes -= std::min(need.bytes, given_back(store));
    return cost;
}

KeepCost FileKeeper::keep(const std::string& id, const KeepScope& scope, const Around& with_product_stopped) {
    const auto begun = nanoseconds_now();
    make_directories(base(), 0700);
    discard(id, Added::go); // what an earlier attempt left
    KeepList list(scope, directory_, id);
    Filling filling(list);
    {
        const auto locks = lock_databases(list.scope().databases);
        list.look_at_system();
        list_stores(directory(id), list.stores());
        filling.fill();
    }
    if (!scope.data.empty())
        with_product_stopped([&] {
            list.look_at_data();
            list_stores(directory(id), list.stores());
            filling.fill();
        });
    auto cost = cost_of(list);
    cost.torn = filling.torn();
    const auto text = to_text(kept_files_of(list, begun));
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
    remove_file(own + "/manifest"); // first: from now on these files do not count as kept
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
        // A store on a file system that is not mounted now is removed by a later call.
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

void FileKeeper::make_room(const std::string& id) {
    for (const auto& store : stores_of(id))
        remove_file(ballast_file(store));
}

RollbackResult FileKeeper::roll_back(const std::string& id, const std::vector<std::string>& added) {
    return put_back(directory(id) + "/manifest", added);
}

} // namespace um
