#include "system/keeping/roll_back.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/sha256.hpp"
#include "system/keeping/difference.hpp"
#include "system/keeping/file_status.hpp"
#include "system/keeping/store.hpp"
#include "system/mount_points.hpp"

#include <algorithm>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>

namespace um {
namespace {

constexpr std::size_t kept_limit = 1024UL * 1024 * 1024; // bytes

bool is_directory(const std::string& path) {
    const auto seen = look_at(path);
    return seen && seen->entry.kind == EntryKind::directory;
}

bool is_same_file(const FileStatus& left, const FileStatus& right) {
    return left.device == right.device && left.inode == right.inode;
}

/// "libc.so.6", "ld-linux-x86-64.so.2"
bool is_library(const std::string& path) {
    return path.find(".so", path.rfind('/') + 1) != std::string::npos;
}

std::vector<std::string> mounts_of(const std::vector<std::string>& stores, const MountPoints& mounts) {
    std::vector<std::string> found;
    found.reserve(stores.size());
    for (const auto& store : stores)
        found.push_back(mounts.of(without_links(store)).path);
    return found;
}

/// Each step leaves alone what is right already. After an interruption everything is done again from the top.
class Restoration {
public:
    Restoration(const KeptFiles& kept, const std::vector<std::string>& added) : kept_(kept), known_(kept) {
        LinkResolver resolve;
        for (const auto& path : added)
            added_.insert(resolve(path));
    }

    /// Missing files come first, and what the change added goes last. If the power fails in between, the
    /// machine still finds what it boots from, old or new.
    RollbackResult run() {
        for (const auto& store : kept_.stores)
            remove_file(temporary_file(store));
        put_all([](const Entry& entry) { return entry.kind == EntryKind::directory; });
        const auto is_content = [](const Entry& entry) {
            return entry.kind == EntryKind::file && entry.same_as.empty();
        };
        put_all([&](const Entry& entry) { return is_content(entry) && !look_at(entry.path); });
        // Libraries come last. Old programs run with newer libraries, but new programs do not always run with
        // older ones.
        put_all([&](const Entry& entry) { return is_content(entry) && !is_library(entry.path); });
        write_to_disk();
        put_all(is_content);
        put_all(
            [](const Entry& entry) { return !entry.same_as.empty(); }); // other names of files that are back
        write_to_disk();
        put_all([](const Entry& entry) {
            return entry.kind == EntryKind::symlink || entry.kind == EntryKind::node;
        });
        write_to_disk();
        clear();
        remove_empty_directories();
        for (auto entry = kept_.entries.rbegin(); entry != kept_.entries.rend(); ++entry)
            if (entry->kind == EntryKind::directory)
                give_attributes(entry->path, *entry);
        write_to_disk();
        return std::move(result_);
    }

private:
    template <class Which>
    void put_all(Which which) {
        for (const auto& entry : kept_.entries)
            if (which(entry))
                put(entry);
    }

    void write_to_disk() {
        for (const auto& store : kept_.stores)
            sync_file_system(store);
    }

    // Removes what was not there.

    void clear() {
        for (const auto& path : kept_.absent)
            if (look_at(path) && !known_.is_left_out(path) && !known_.holds_left_out(path))
                try_to_move_aside(path);
        for (const auto& path : added_)
            if (const auto seen = look_at(path);
                seen && known_.find(path) == nullptr && seen->entry.kind != EntryKind::directory &&
                !known_.is_left_out(path) && store_for(path) && leads_through_no_link(path))
                try_to_move_aside(path);
        std::vector<std::string> strange;
        for_each_strange(kept_, known_, [&](const std::string& path) { strange.push_back(path); });
        for (const auto& path : strange)
            try_to_move_aside(path);
        remove_unpacked();
    }

    /// A directory of the change may be the old symlink again by now. What is behind that belongs to the old
    /// system.
    static bool leads_through_no_link(const std::string& path) { return without_links(path) == path; }

    /// A failure only becomes a difference in the result, because the old system works beside the path that
    /// stays.
    void try_to_move_aside(const std::string& path) {
        if (mounts_.is_mount_point(path))
            return;
        try {
            move_aside(path);
        } catch (const SystemFailure& failure) {
            result_.differences.emplace_back(failure.what());
        }
    }

    void remove_unpacked() {
        std::set<std::string> directories;
        for (const auto& entry : kept_.entries)
            if (entry.kind == EntryKind::file)
                directories.insert(parent_of(entry.path));
        for (const auto& directory : directories)
            for (const auto& name : names_in(directory))
                if (const auto path = path_in(directory, name);
                    is_unpacked(name) && known_.find(path) == nullptr && !known_.is_left_out(path))
                    remove_tree(path);
    }

    /// Only directories that new packages brought, and only if nothing is left in them.
    void remove_empty_directories() {
        for (auto path = added_.rbegin(); path != added_.rend(); ++path)
            if (known_.find(*path) == nullptr && !known_.is_left_out(*path) && is_directory(*path) &&
                names_in(*path).empty() && store_for(*path) && !mounts_.is_mount_point(*path) &&
                leads_through_no_link(*path))
                remove_file(*path);
    }

    /// rpm gives its files the time of their packaging. A time after keeping began means that somebody wrote
    /// to the file.
    bool written_since(const FileStatus& seen) const { return seen.entry.modified_ns >= kept_.begun_ns; }

    /// A path that no package owns, or a file that was written to, may be somebody's data.
    bool holds_data(const std::string& path) const {
        const auto seen = look_at(path);
        if (!seen)
            return false;
        if (seen->entry.kind != EntryKind::directory)
            return added_.count(path) == 0 || (seen->entry.kind == EntryKind::file && written_since(*seen));
        const auto names = names_in(path);
        return std::any_of(names.begin(), names.end(),
                           [&](const std::string& name) { return holds_data(path_in(path, name)); });
    }

    /// A database is put back as a whole, so nobody needs what was written to it since.
    bool is_worthless(const std::string& path) const {
        return std::any_of(kept_.databases.begin(), kept_.databases.end(),
                           [&](const std::string& directory) { return is_within(path, directory); });
    }

    /// The store on the path's own mount. Null if nothing was kept there.
    const std::string* store_for(const std::string& path) const {
        const auto& mount = mounts_.of(path).path;
        const auto found = std::find(mount_of_store_.begin(), mount_of_store_.end(), mount);
        return found == mount_of_store_.end()
                   ? nullptr
                   : &kept_.stores.at(static_cast<std::size_t>(found - mount_of_store_.begin()));
    }

    std::string place_aside(const std::string& path, bool data) const {
        const auto* store = store_for(path);
        if (store == nullptr)
            throw SystemFailure(
                fmt::format("'{}' cannot be moved aside: nothing was kept on its file system", path));
        const auto place = (data ? data_directory(*store) : added_directory(*store)) + path;
        make_directories(parent_of(place), 0700);
        auto free = place;
        for (unsigned i = 2; look_at(free); ++i)
            free = fmt::format("{}.{}", place, i);
        return free;
    }

    void move_aside(const std::string& path) {
        rename_file(path, place_aside(path, !is_worthless(path) && holds_data(path)));
        ++result_.set_aside;
    }

    // Puts back what was there.

    void put(const Entry& entry) {
        auto now = look_at(entry.path);
        if (now && (now->entry.kind == EntryKind::directory) != (entry.kind == EntryKind::directory)) {
            move_aside(entry.path);
            now.reset();
        }
        if (!now)
            make_directories(parent_of(entry.path), 0755);
        switch (entry.kind) {
        case EntryKind::directory:
            if (!now) {
                make_directories(entry.path, 0700);
                ++result_.put_back;
            }
            return; // its attributes follow when everything is in it
        case EntryKind::symlink:
            put_link(entry, now);
            break;
        case EntryKind::node:
            put_node(entry, now);
            break;
        case EntryKind::file:
            put_file(entry, now);
            break;
        }
        give_attributes(entry.path, entry);
    }

    /// Where the path is made before it is renamed into place.
    std::string temporary(const Entry& entry) const {
        auto path = temporary_file(kept_.stores.at(entry.store));
        remove_file(path);
        return path;
    }

    void put_link(const Entry& entry, const std::optional<FileStatus>& now) {
        if (now && now->entry.kind == EntryKind::symlink && now->entry.text == entry.text)
            return;
        const auto made = temporary(entry);
        if (::symlink(entry.text.c_str(), made.c_str()) < 0)
            throw SystemFailure(fmt::format("symlink '{}'", made), errno);
        replace(entry, now, made);
    }

    void put_node(const Entry& entry, const std::optional<FileStatus>& now) {
        if (now && now->entry.kind == EntryKind::node && now->entry.size == entry.size &&
            (now->entry.mode & S_IFMT) == (entry.mode & S_IFMT))
            return;
        const auto made = temporary(entry);
        if (::mknod(made.c_str(), entry.mode, entry.size) < 0)
            throw SystemFailure(fmt::format("mknod '{}'", made), errno);
        replace(entry, now, made);
    }

    static bool is_as_it_was(const Entry& entry, const std::optional<FileStatus>& now) {
        return now && now->entry.kind == EntryKind::file && now->entry.size == entry.size &&
               now->entry.modified_ns == entry.modified_ns && sha256_of_file(entry.path) == entry.text;
    }

    /// False if the copy fails, for example for lack of room.
    static bool try_copy(const std::string& source, const std::string& made, const Entry& entry) {
        try {
            copy_file(source, made);
            auto attributes = entry;
            attributes.flags = 0;
            give_attributes(made, attributes);
            return true;
        } catch (const SystemFailure&) {
            remove_file(made);
            return false;
        }
    }

    void put_file(const Entry& entry, const std::optional<FileStatus>& now) {
        const auto source =
            entry.same_as.empty() ? kept_file(kept_.stores.at(entry.store), entry.number) : entry.same_as;
        const auto kept = look_at(source);
        if (!kept)
            throw SystemFailure(fmt::format("'{}' is missing", source));
        if (now && is_same_file(*now, *kept))
            return;
        if (entry.same_as.empty() && is_as_it_was(entry, now))
            return;
        const auto made = temporary(entry);
        if (!entry.same_as.empty())
            unprotect(entry.same_as); // a protected file cannot be linked; its flags come back later
        // A program must not write to the kept file itself, because a rollback may need that file once more.
        const bool apart = entry.same_as.empty() && (entry.copied || entry.flags != 0);
        if (!(apart && try_copy(source, made, entry)) && ::link(source.c_str(), made.c_str()) < 0 &&
            !try_copy(source, made, entry))
            throw SystemFailure(fmt::format("'{}' can be neither linked nor copied to '{}'", source, made));
        replace(entry, now, made);
    }

    /// At every moment the path has its old or its new content.
    void replace(const Entry& entry, const std::optional<FileStatus>& now, const std::string& made) {
        if (now && now->entry.kind == EntryKind::file &&
            (entry.set_aside || (written_since(*now) && !is_worthless(entry.path)))) {
            const auto place = place_aside(entry.path, true);
            unprotect(entry.path);
            if (::link(entry.path.c_str(), place.c_str()) < 0) { // the file system has no hard links
                copy_file(entry.path, place);
                give_attributes(place, now->entry);
            }
            ++result_.set_aside;
        }
        rename_file(made, entry.path);
        ++result_.put_back;
    }

    const KeptFiles& kept_;
    RollbackResult result_;
    Known known_;
    MountPoints mounts_;
    std::vector<std::string> mount_of_store_ = mounts_of(kept_.stores, mounts_);
    std::set<std::string> added_;
};

Failure not_whole(const std::string& why) {
    return {Reason::rollback_failed,
            fmt::format("the kept files are not whole: {}; nothing was put back", why)};
}

KeptFiles load(const std::string& path) {
    try {
        const auto text = read_file_if_there(path, kept_limit);
        if (!text)
            throw not_whole(fmt::format("'{}' is missing", path));
        return parse_kept_files(*text);
    } catch (const SystemFailure& failure) {
        throw not_whole(failure.what());
    }
}

/// Checks before anything is touched, because half of an old system is worse than a new one.
void expect_whole(const KeptFiles& kept) {
    const MountPoints mounts;
    const auto mount_of_store = mounts_of(kept.stores, mounts);
    std::vector<bool> is_safe;
    for (const auto& store : kept.stores)
        is_safe.push_back(is_roots_alone(mounts.of(without_links(store)).path) &&
                          is_roots_alone(parent_of(store)) && is_roots_alone(store));
    for (const auto& entry : kept.entries) {
        if (entry.number == 0)
            continue;
        const auto path = kept_file(kept.stores.at(entry.store), entry.number);
        const auto now = look_at(path);
        if (!now)
            throw not_whole(fmt::format("'{}', which holds '{}', is missing", path, entry.path));
        if (entry.copied && now->entry.size != entry.size)
            throw not_whole(fmt::format("'{}', which holds '{}', has {} bytes, not {}", path, entry.path,
                                        now->entry.size, entry.size));
        // The change may have let others write to the store's place. A rollback repairs that, but it cannot
        // undo an exchange of kept files, so their digests decide.
        if (!is_safe.at(entry.store) && sha256_of_file(path) != entry.text)
            throw not_whole(fmt::format(
                "others than root could exchange '{}', which holds '{}', and it is not what was kept", path,
                entry.path));
        if (const auto& mount = mounts.of(entry.path).path; mount != mount_of_store.at(entry.store))
            throw not_whole(fmt::format("'{}' is on '{}' by now, and what is kept of it on '{}'", entry.path,
                                        mount, mount_of_store.at(entry.store)));
    }
}

} // namespace

RollbackResult put_back(const std::string& list, const std::vector<std::string>& added) {
    const auto kept = load(list);
    expect_whole(kept);
    auto result = Restoration(kept, added).run();
    auto more = differences(kept);
    std::move(more.begin(), more.end(), std::back_inserter(result.differences));
    return result;
}

} // namespace um
