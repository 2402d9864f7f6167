#pragma once
// What is to be kept on this machine: one item for each path, with how and where.

#include "system/keeping/file_status.hpp"
#include "system/keeping/kept_files.hpp"
#include "system/mount_points.hpp"

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace um {

/// How the content of a file is kept.
enum class Keeping { nothing, link, copy };

struct Item {
    Entry entry;
    Keeping keeping = Keeping::nothing;
    FileId id{};
    bool gone = false;          ///< removed before it could be kept
    std::string known_digest{}; ///< rpm's, if the file looks as rpm wrote it
};

/// Looks at paths and lists each of them once. Throws SystemFailure and Terminated.
class KeepList {
public:
    /// `directory`: the agent's own. On its file system the store is rollback/ID in it.
    KeepList(const KeepScope& scope, std::string directory, std::string id);

    /// Lists everything but the data.
    void look_at_system();
    /// Lists the data. After this the list is complete.
    void look_at_data();

    std::vector<Item>& items() { return items_; }
    const std::vector<std::string>& stores() const { return stores_; }
    /// Incoming paths that do not exist now, with links of directories followed. A missing directory stands
    /// for everything below it.
    std::vector<std::string> absent() const;
    /// The scope with links of directories followed. What turned out not to be kept is added to `excluded`.
    const KeepScope& scope() const { return scope_; }
    /// Why something cannot be kept, one sentence each.
    const std::set<std::string>& unkept() const { return unkept_; }

private:
    enum class As { linked, copied, data, database };
    void add_tree(const std::string& root, As as);
    void add_tree(FileStatus seen, As as);
    void add_packaged();
    /// Lists paths that no package owns yet and that a package of the change would own.
    void add_claimed();
    void add_directories_above(const std::string& path);
    void add(FileStatus seen, As as, const PackagedFile* packaged = nullptr);
    bool is_left_out(const std::string& path) const;
    bool can_be_kept(const std::string& path, bool is_root);
    bool is_safe_place(const std::string& mount);
    std::uint32_t store_of(const std::string& path);

    KeepScope scope_;
    std::string directory_;
    std::string id_;
    MountPoints mounts_;
    std::vector<Item> items_;
    std::vector<std::string> stores_;
    std::map<std::string, std::uint32_t> store_numbers_; ///< by mount point
    std::map<std::string, bool> safe_places_;            ///< by mount point
    std::unordered_set<std::string> known_;
    /// The first path of each inode with several names, by store, device and inode.
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t>, std::string> names_;
    std::unordered_map<std::string, const PackagedFile*> packaged_;
    std::set<std::string> unkept_;
};

} // namespace um
