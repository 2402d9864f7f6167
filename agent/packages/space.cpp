#include "packages/space.hpp"

#include "base/path.hpp"

namespace um {

std::uint64_t Volumes::device_of(const std::string& directory) {
    if (const auto known = devices_.find(directory); known != devices_.end())
        return known->second;
    if (directory != "/" && !appliance_.directory_exists(directory))
        return devices_[directory] = device_of(parent_of(directory));
    const auto space = appliance_.space(directory);
    auto [volume, is_new] = volumes_.try_emplace(space.device);
    if (is_new) {
        volume->second.available = space.available;
        volume->second.available_files = space.available_files;
    }
    // A file system is mounted on the uppermost of its directories.
    if (directory == "/" || device_of(parent_of(directory)) != space.device)
        volume->second.mount_point = directory;
    return devices_[directory] = space.device;
}

Volume& Volumes::volume_of(const std::string& directory) {
    auto path = directory;
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return volumes_[device_of(path)];
}

void Volumes::add(const std::string& directory, std::uint64_t bytes, std::uint64_t files) {
    auto& volume = volume_of(directory);
    volume.needed += bytes;
    volume.needed_files += files;
}

void Volumes::add_kept(const std::string& directory, std::uint64_t bytes, std::uint64_t files) {
    auto& volume = volume_of(directory);
    volume.kept += bytes;
    volume.kept_files += files;
}

std::vector<Volume> Volumes::list() const {
    std::vector<Volume> result;
    for (const auto& [device, volume] : volumes_)
        result.push_back(volume);
    return result;
}

} // namespace um
