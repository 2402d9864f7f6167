#include "system/keeping/store.hpp"

#include "base/failure.hpp"
#include "base/fd.hpp"
#include "base/path.hpp"
#include "system/keeping/file_status.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>

namespace um {

bool is_roots_alone(const std::string& directory) {
    const auto seen = look_at(directory);
    return seen && seen->entry.kind == EntryKind::directory && seen->entry.uid == 0 &&
           ((seen->entry.mode & (S_IWGRP | S_IWOTH)) == 0 || (seen->entry.mode & S_ISVTX) != 0);
}

std::vector<std::string> names_in(const std::string& directory) {
    const Handle<DIR, ::closedir> stream(::opendir(directory.c_str()));
    if (!stream) {
        if (errno == ENOENT || errno == ENOTDIR)
            return {};
        throw SystemFailure(fmt::format("opendir '{}'", directory), errno);
    }
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const auto* entry = ::readdir(stream.get());
        if (entry == nullptr && errno != 0)
            throw SystemFailure(fmt::format("readdir '{}'", directory), errno);
        if (entry == nullptr)
            break;
        if (std::string name = entry->d_name; name != "." && name != "..")
            names.push_back(std::move(name));
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string without_links(const std::string& path) {
    if (path == "/")
        return path;
    const auto directory = parent_of(path);
    const Handle<char, std::free> real(::realpath(directory.c_str(), nullptr));
    if (!real && errno != ENOENT && errno != ENOTDIR)
        throw SystemFailure(fmt::format("realpath '{}'", directory), errno);
    const auto above = real ? std::string(real.get()) : without_links(directory);
    return (above == "/" ? "" : above) + path.substr(path.rfind('/'));
}

std::string LinkResolver::operator()(const std::string& path) {
    if (const auto directory = parent_of(path); directory != last_) {
        last_ = directory;
        real_ = without_links(path);
        real_.resize(real_.rfind('/'));
    }
    return real_ + path.substr(path.rfind('/'));
}

void remove_tree(const std::string& path) {
    const auto seen = look_at(path);
    if (!seen)
        return;
    if (seen->entry.kind == EntryKind::directory)
        for (const auto& name : names_in(path))
            remove_tree(path_in(path, name));
    remove_file(path);
}

} // namespace um
