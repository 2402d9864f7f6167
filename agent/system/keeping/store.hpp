#pragma once
// What is in a store, the directory that holds the kept files on each file system.

#include <cstdint>
#include <string>
#include <vector>

namespace um {

/// Contains the stores on every file system but the agent's own. Its content is never kept.
inline constexpr auto store_name = ".um-upgrade";
/// Files in one directory. Each further file makes the search for a name slower.
inline constexpr std::uint64_t bucket_size = 100;

inline std::string kept_directory(const std::string& store) {
    return store + "/kept";
}
inline std::string bucket_of(const std::string& store, std::uint64_t number) {
    return kept_directory(store) + "/" + std::to_string(number / bucket_size);
}
inline std::string kept_file(const std::string& store, std::uint64_t number) {
    return bucket_of(store, number) + "/" + std::to_string(number);
}
/// What the change added. It goes when the kept files have expired.
inline std::string added_directory(const std::string& store) {
    return store + "/added";
}
/// What may be somebody's data. It stays.
inline std::string data_directory(const std::string& store) {
    return store + "/data";
}
/// Reserves room for a rollback, in case the change fills the disk.
inline std::string ballast_file(const std::string& store) {
    return store + "/ballast";
}
/// What is about to be renamed into place. It is in the store because a rename cannot cross mounts.
inline std::string temporary_file(const std::string& store) {
    return store + "/temporary";
}

/// Whether it is a directory in which only root can exchange root's files. Throws SystemFailure.
bool is_roots_alone(const std::string& directory);

/// The sorted names in a directory. None if there is no such directory. Throws SystemFailure.
std::vector<std::string> names_in(const std::string& directory);

/// Follows symlinks among the directories of the path, but not the path itself. What is below a directory
/// that does not exist stays as given. Throws SystemFailure.
std::string without_links(const std::string& path);

/// The same for many paths. rpm's paths lead through links of directories, such as /lib. Most paths of one
/// directory come one after the other, so the last directory is remembered. Throws SystemFailure.
class LinkResolver {
public:
    std::string operator()(const std::string& path);

private:
    std::string last_;
    std::string real_;
};

/// Removes a file, or a directory with everything in it, even if flags protect it. Throws SystemFailure.
void remove_tree(const std::string& path);

} // namespace um
