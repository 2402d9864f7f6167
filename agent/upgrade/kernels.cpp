#include "upgrade/kernels.hpp"

#include <array>
#include <sstream>

namespace um {
namespace {

constexpr std::chrono::minutes query_limit{10};
constexpr std::string_view image = "/boot/vmlinuz-";

/// As Photon OS, dracut and others name it.
std::array<std::string, 4> initramfs(const std::string& release) {
    return {fmt::format("/boot/initrd.img-{}", release), fmt::format("/boot/initramfs-{}.img", release),
            fmt::format("/boot/initrd-{}.img", release), fmt::format("/boot/initrd-{}", release)};
}

/// Which kernels a package brings: by their images.
std::vector<std::string> releases_of(Appliance& appliance, const Package& package) {
    const auto result = appliance.run({"rpm", "-ql", full_name(package)}, "", query_limit);
    if (result.timed_out || result.status != 0)
        throw SystemFailure(fmt::format("'rpm -ql {}' ended with status {}: {}", full_name(package),
                                        result.status, result.said().substr(0, 300)));
    std::vector<std::string> releases;
    std::istringstream stream(result.output);
    for (std::string line; std::getline(stream, line);)
        if (line.rfind(image, 0) == 0)
            releases.push_back(line.substr(image.size()));
    return releases;
}

} // namespace

std::vector<std::string> boot_shortcomings(Appliance& appliance, const std::vector<Package>& kernels) {
    const auto there = [&](const std::string& path) { return appliance.file_size(path).value_or(0) > 0; };
    const auto running = initramfs(appliance.kernel_release());
    std::vector<std::string> found;
    for (const auto& kernel : kernels)
        for (const auto& release : releases_of(appliance, kernel)) {
            if (const auto path = fmt::format("{}{}", image, release); !there(path))
                found.push_back(fmt::format("the kernel {} is missing or empty", path));
            const auto wanted = initramfs(release);
            for (std::size_t i = 0; i < wanted.size(); ++i)
                if (there(running[i]) && !there(wanted[i]))
                    found.push_back(fmt::format("the initramfs {} is missing or empty", wanted[i]));
        }
    return found;
}

} // namespace um
