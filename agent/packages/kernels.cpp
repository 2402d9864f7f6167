#include "packages/kernels.hpp"

#include "base/failure.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace um {
namespace {

constexpr std::chrono::minutes query_limit{10};
constexpr std::string_view image = "/boot/vmlinuz-";

/// The names that Photon OS, dracut and others use. '*' means the kernel's release.
constexpr std::array forms{"/boot/initrd.img-*", "/boot/initramfs-*.img", "/boot/initrd-*.img",
                           "/boot/initrd-*"};

std::string path_of(std::string form, const std::string& release) {
    const auto place = form.find('*');
    return place == std::string::npos ? form : form.replace(place, 1, release);
}

bool is_there(Appliance& appliance, const std::string& path) {
    return appliance.file_size(path).value_or(0) > 0;
}

/// The releases of the kernels in a package. Their images name them.
std::vector<std::string> releases_of(Appliance& appliance, const Package& package) {
    const auto result = appliance.run({"rpm", "-ql", full_name(package)}, "", query_limit);
    if (result.timed_out || result.status != 0)
        throw SystemFailure(fmt::format("'rpm -ql {}' ended with status {}: {}", full_name(package),
                                        result.status, result.said().substr(0, 300)));
    std::vector<std::string> releases;
    for (const auto& line : lines_of(result.output))
        if (line.starts_with(image))
            releases.push_back(line.substr(image.size()));
    return releases;
}

} // namespace

std::vector<std::string> initramfs_forms(Appliance& appliance) {
    std::vector<std::string> found;
    const auto running = appliance.kernel_release();
    std::copy_if(forms.begin(), forms.end(), std::back_inserter(found),
                 [&](const char* form) { return is_there(appliance, path_of(form, running)); });
    return found;
}

std::vector<std::string> boot_shortcomings(Appliance& appliance, const std::vector<Package>& kernels,
                                           const std::vector<std::string>& initramfs) {
    std::vector<std::string> found;
    for (const auto& kernel : kernels)
        for (const auto& release : releases_of(appliance, kernel)) {
            if (const auto path = fmt::format("{}{}", image, release); !is_there(appliance, path))
                found.push_back(fmt::format("the kernel {} is missing or empty", path));
            for (const auto& form : initramfs)
                if (const auto path = path_of(form, release); !is_there(appliance, path))
                    found.push_back(fmt::format("the initramfs {} is missing or empty", path));
        }
    return found;
}

} // namespace um
