#include "base/path.hpp"

#include <string_view>

namespace um {
namespace {

constexpr std::size_t unpacked_suffix = 9; // ";5f3a1b2c"

} // namespace

std::string base_name(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

std::string directory_of(const std::string& path) {
    const auto slash = path.find_last_of('/');
    return slash == std::string::npos ? "./" : path.substr(0, slash + 1);
}

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos || slash == 0 ? "/" : path.substr(0, slash);
}

std::string path_in(const std::string& directory, const std::string& name) {
    std::string path = directory == "/" ? "" : directory;
    path += '/';
    return path += name;
}

bool is_within(const std::string& path, const std::string& directory) {
    return directory == "/" || path == directory ||
           (path.starts_with(directory) && path[directory.size()] == '/');
}

std::string literally(const std::string& path) {
    std::string pattern;
    for (const char c : path) {
        if (std::string_view("*?[\\").find(c) != std::string_view::npos)
            pattern += '\\';
        pattern += c;
    }
    return pattern;
}

bool is_device(const std::string& path) {
    return path.starts_with("/dev/");
}

bool is_unpacked(const std::string& path) {
    const auto mark = path.rfind(';');
    return mark != std::string::npos && path.size() - mark == unpacked_suffix &&
           path.find_first_not_of("0123456789abcdef", mark + 1) == std::string::npos;
}

std::string unpacked_name(const std::string& path) {
    return path.substr(0, path.size() - unpacked_suffix);
}

} // namespace um
