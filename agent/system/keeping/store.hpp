#pragma once
// The rooms of a store, the directory that a way back has on each file system.

#include <cstdint>
#include <string>
#include <vector>

namespace um {

/// What is never looked into, and where stores stand on every file system but the agent's own.
inline constexpr auto store_name = ".um-upgrade";
/// One directory holds so many files: searching it for a name costs more with each.
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
/// What the change added; it goes when the way back's time is over.
inline std::string added_directory(const std::string& store) {
    return store + "/added";
}
/// What may be somebody's data; it stays.
inline std::string data_directory(const std::string& store) {
    return store + "/data";
}
/// Room for taking back when the change has filled the disk.
inline std::string ballast_file(const std::string& store) {
    return store + "/ballast";
}
/// What is about to be renamed into place.
inline std::string temporary_file(const std::string& store) {
    return store + "/temporary";
}

/// Whether it is a directory in which nobody but root can exchange what is root's. Throws SystemFailure.
bool is_roots_alone(const std::string& directory);

/// The names in a directory, sorted; none where there is no such directory. Throws SystemFailure.
std::vector<std::string> names_in(const std::string& directory);

/// The path with its directories' links followed, not its own; below a directory that is not there, as given.
/// Throws SystemFailure.
std::string without_links(const std::string& path);

/// The same for many paths: rpm's go through links of directories, such as /lib, and most of a directory's
/// come one after the other.
class LinkResolver {
public:
    std::string operator()(const std::string& path);

private:
    std::string last_;
    std::string real_;
};

/// Removes a directory and all below, protected or not. Throws SystemFailure.
void remove_tree(const std::string& path);

} // namespace um
