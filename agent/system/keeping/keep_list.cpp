#include "system/keeping/keep_list.hpp"

#include "base/failure.hpp"
#include "base/path.hpp"
#include "base/termination.hpp"
#include "system/keeping/store.hpp"

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>

namespace um {
namespace {

void follow_links(std::vector<std::string>& paths) {
    for (auto& path : paths)
        path = without_links(path);
}

/// Where a root is a symlink, the tree behind it is meant. The symlink is kept as well.
void follow_roots(std::vector<std::string>& roots, std::vector<std::string>& links) {
    constexpr int most = 40; // links in a row, path_resolution(7)
    for (auto& root : roots)
        for (int i = 0; i < most; ++i) {
            const auto seen = look_at(root);
            if (!seen || seen->entry.kind != EntryKind::symlink)
                break;
            links.push_back(root);
            const auto& target = seen->entry.text;
            root = without_links(
                std::filesystem::path(target.front() == '/' ? target : path_in(parent_of(root), target))
                    .lexically_normal()
                    .string());
        }
}

bool is_within_any(const std::string& path, const std::vector<std::string>& directories) {
    return std::any_of(directories.begin(), directories.end(),
                       [&](const std::string& directory) { return is_within(path, directory); });
}

/// A program that changes a file leaves it with another size or another time.
bool is_as_packaged(const Entry& entry, const PackagedFile& packaged) {
    constexpr std::int64_t nanoseconds = 1'000'000'000;
    return entry.size == packaged.size && entry.modified_ns / nanoseconds == packaged.modified;
}

} // namespace

KeepList::KeepList(const KeepScope& scope, std::string directory, std::string id)
    : scope_(scope), directory_(std::move(directory)), id_(std::move(id)) {
    for (auto* paths : {&scope_.copied, &scope_.trees, &scope_.databases, &scope_.data, &scope_.excluded})
        follow_links(*paths);
    for (auto* roots : {&scope_.trees, &scope_.databases, &scope_.data})
        follow_roots(*roots, scope_.copied);
    items_.reserve(scope_.packaged.size());
    known_.reserve(scope_.packaged.size());
    packaged_.reserve(scope_.packaged.size());
    LinkResolver resolve;
    for (auto& file : scope_.packaged) {
        file.path = resolve(file.path);
        packaged_[file.path] = &file;
    }
}

std::uint32_t KeepList::store_of(const std::string& path) {
    const auto& mount = mounts_.of(path).path;
    const auto [found, is_new] =
        store_numbers_.try_emplace(mount, static_cast<std::uint32_t>(stores_.size()));
    if (is_new) {
        const bool own = mounts_.of(without_links(directory_ + "/x")).path == mount;
        stores_.push_back(own ? fmt::format("{}/rollback/{}", directory_, id_)
                              : fmt::format("{}/{}/{}", mount == "/" ? "" : mount, store_name, id_));
    }
    return found->second;
}

/// Whether only root can exchange the store: it depends on the top directory of the file system, and on what
/// has the name of the stores there.
bool KeepList::is_safe_place(const std::string& mount) {
    const auto [found, is_new] = safe_places_.try_emplace(mount, true);
    if (is_new) {
        const auto stores = fmt::format("{}/{}", mount == "/" ? "" : mount, store_name);
        found->second = is_roots_alone(mount) && (!look_at(stores) || is_roots_alone(stores));
    }
    return found->second;
}

bool KeepList::can_be_kept(const std::string& path, bool is_root) {
    const auto& mount = mounts_.of(path);
    if (mount.writable && mount.lasting) {
        if (is_safe_place(mount.path))
            return true;
        unkept_.insert(fmt::format("{} belongs to others than root, who could exchange what is kept there, "
                                   "and is not kept",
                                   mount.path));
        return false;
    }
    // Nobody changes a read-only file system, so only a root on it is reported. Nobody keeps a virtual one.
    if (!mount.is_virtual() && (mount.writable || is_root))
        unkept_.insert(fmt::format("{} is on a {} file system ({}) and is not kept", mount.path,
                                   mount.writable ? "remote" : "read-only", mount.type));
    return false;
}

bool KeepList::is_left_out(const std::string& path) const {
    return is_within_any(path, scope_.excluded);
}

void KeepList::add(FileStatus seen, As as, const PackagedFile* packaged) {
    check_termination();
    if (!known_.insert(seen.entry.path).second)
        return;
    Item item{std::move(seen.entry), Keeping::nothing, {seen.device, seen.inode}};
    auto& entry = item.entry;
    entry.store = store_of(entry.path);
    entry.set_aside = as == As::data || (as == As::copied && (packaged == nullptr || packaged->rewritten));
    if (entry.kind == EntryKind::file) {
        item.keeping = as == As::linked ? Keeping::link : Keeping::copy;
        if (packaged != nullptr && !packaged->rewritten && is_as_packaged(entry, *packaged))
            item.known_digest = packaged->sha256;
        if (seen.links > 1) {
            const auto [first, is_first] =
                names_.try_emplace({entry.store, seen.device, seen.inode}, entry.path);
            if (!is_first) {
                entry.same_as = first->second;
                item.keeping = Keeping::nothing;
            }
        }
    }
    items_.push_back(std::move(item));
}

void KeepList::add_directories_above(const std::string& path) {
    const auto directory = parent_of(path);
    if (directory == "/" || known_.count(directory) > 0)
        return;
    add_directories_above(directory);
    if (auto seen = look_at(directory); seen && can_be_kept(directory, false))
        add(std::move(*seen), As::linked);
}

void KeepList::add_tree(FileStatus seen, As as) {
    const auto path = seen.entry.path;
    const auto kind = seen.entry.kind;
    const auto packaged = packaged_.find(path);
    // The program that listens on a socket creates it again.
    if (!S_ISSOCK(seen.entry.mode))
        add(std::move(seen), as, packaged == packaged_.end() ? nullptr : packaged->second);
    if (kind != EntryKind::directory)
        return;
    for (const auto& name : names_in(path)) {
        const auto below = path_in(path, name);
        if (name == store_name || is_left_out(below) || (as != As::data && is_within_any(below, scope_.data)))
            continue;
        // A file system that is mounted there and not kept is not touched. A look at it might wait for a
        // server.
        if (!can_be_kept(below, false)) {
            scope_.excluded.push_back(below);
            continue;
        }
        auto more = look_at(below);
        if (more && mounts_.is_mount_point(below) && more->entry.kind != EntryKind::directory)
            scope_.excluded.push_back(below);
        else if (more)
            add_tree(std::move(*more), as);
    }
}

void KeepList::add_tree(const std::string& root, As as) {
    if (is_left_out(root))
        return;
    auto seen = look_at(root);
    if (!seen)
        return;
    if (!can_be_kept(root, true)) {
        scope_.excluded.push_back(root);
        return;
    }
    add_directories_above(root);
    add_tree(std::move(*seen), as);
}

void KeepList::add_packaged() {
    for (const auto& file : scope_.packaged) {
        if (known_.count(file.path) > 0 || is_left_out(file.path) || is_within_any(file.path, scope_.data))
            continue;
        auto seen = look_at(file.path);
        if (!seen || S_ISSOCK(seen->entry.mode) || !can_be_kept(file.path, false) ||
            mounts_.is_mount_point(file.path))
            continue;
        if (seen->entry.kind == EntryKind::file && is_within_any(file.path, scope_.logs)) {
            scope_.excluded.push_back(file.path);
            continue;
        }
        add_directories_above(file.path);
        // A program that wrote to the file in place may do so again.
        const bool rewritten =
            file.rewritten || (seen->entry.kind == EntryKind::file && !is_as_packaged(seen->entry, file));
        add(std::move(*seen), rewritten ? As::copied : As::linked, &file);
    }
}

void KeepList::add_claimed() {
    LinkResolver resolve;
    for (const auto& path : scope_.incoming) {
        const auto claimed = resolve(path);
        if (known_.count(claimed) > 0 || is_left_out(claimed) || is_within_any(claimed, scope_.data) ||
            !can_be_kept(claimed, false) || mounts_.is_mount_point(claimed))
            continue;
        auto seen = look_at(claimed);
        if (!seen || S_ISSOCK(seen->entry.mode))
            continue;
        add_directories_above(claimed);
        add(std::move(*seen), As::copied);
    }
}

void KeepList::look_at_system() {
    for (const auto& root : scope_.databases)
        add_tree(root, As::database);
    for (const auto& root : scope_.trees)
        add_tree(root, As::copied);
    for (const auto& path : scope_.copied)
        add_tree(path, As::copied);
    add_packaged();
    add_claimed();
}

void KeepList::look_at_data() {
    for (const auto& root : scope_.data)
        add_tree(root, As::data);
}

std::vector<std::string> KeepList::absent() const {
    std::set<std::string> found;
    LinkResolver resolve;
    for (const auto& path : scope_.incoming) {
        auto missing = resolve(path);
        if (known_.count(missing) > 0 || is_left_out(missing) || look_at(missing))
            continue;
        while (known_.count(parent_of(missing)) == 0 && parent_of(missing) != "/" &&
               !look_at(parent_of(missing)))
            missing = parent_of(missing);
        if (!mounts_.of(missing).is_virtual())
            found.insert(missing);
    }
    return {found.begin(), found.end()};
}

} // namespace um
