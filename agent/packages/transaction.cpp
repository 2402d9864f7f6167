#include "packages/transaction.hpp"

#include "base/path.hpp"
#include "base/text.hpp"
#include "ports/ports.hpp"

#include <algorithm>

namespace um {
namespace {

constexpr std::uint64_t block = 4096; // bytes; most file systems allocate in this unit

bool obsoletes(const OfferedPackage& offer, const std::vector<Package>& installed) {
    return std::any_of(installed.begin(), installed.end(),
                       [&](const Package& package) { return offer.obsoletes.contains(package.name); });
}

/// Whether an older version is installed, and none as new. Both may be there: an old kernel stays beside a
/// newer one.
bool renews(const OfferedPackage& offer, const std::vector<Package>& installed) {
    bool older = false;
    for (const auto& package : installed)
        if (is_same_place(offer.package, package)) {
            if (compare(package, offer.package) >= 0)
                return false;
            older = true;
        }
    return older;
}

/// Whether a newer version of it is offered, which is taken instead.
bool is_outdone(const OfferedPackage& offer, const std::vector<OfferedPackage>& offered) {
    return std::any_of(offered.begin(), offered.end(), [&](const OfferedPackage& other) {
        return is_same_place(offer.package, other.package) && compare(offer.package, other.package) < 0;
    });
}

/// The solver judges files, rpm's own features and rich dependencies. An appliance has most of them.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name.front() != '/' && name.front() != '(' && !name.starts_with("rpmlib(");
}

std::uint64_t largest_initramfs(Ports& ports) {
    std::uint64_t largest = 0;
    for (const auto& path : ports.media.matches("/boot/initr*"))
        largest = std::max(largest, ports.appliance.file_size(path).value_or(0));
    return largest;
}

} // namespace

std::vector<OfferedPackage> selected(const std::vector<OfferedPackage>& offered,
                                     const std::vector<Package>& installed,
                                     const std::set<std::string>& provided) {
    std::vector<bool> taken; // or never to be taken
    taken.reserve(offered.size());
    for (const auto& offer : offered)
        taken.push_back(is_outdone(offer, offered));
    std::vector<OfferedPackage> result;
    const auto take = [&](std::size_t i) {
        taken[i] = true;
        result.push_back(offered[i]);
    };
    for (std::size_t i = 0; i < offered.size(); ++i)
        if (!taken[i] && (obsoletes(offered[i], installed) || renews(offered[i], installed)))
            take(i);
    for (std::size_t done = 0; done < result.size(); ++done)
        for (const auto& name : std::set<std::string>(result[done].requires_names))
            for (std::size_t i = 0; i < offered.size() && is_plain_name(name) && !provided.contains(name);
                 ++i)
                if (!taken[i] && offered[i].provides.contains(name))
                    take(i);
    return result;
}

std::vector<OfferedPackage> transaction(Appliance& appliance, const std::vector<OfferedPackage>& offered,
                                        const std::vector<Package>& installed) {
    if (offered.empty())
        return {};
    const auto names = lines_of(query_installed(appliance, "[%{PROVIDENAME}\n]"));
    return selected(offered, installed, {names.begin(), names.end()});
}

void add_needs(Ports& ports, const std::vector<OfferedPackage>& packages, Volumes& volumes) {
    bool kernel = false;
    for (const auto& package : packages)
        for (const auto& [path, size] : package.files) {
            volumes.add(directory_of(path), (size + block - 1) / block * block, 1);
            kernel = kernel || path.starts_with("/boot/vmlinuz");
        }
    if (kernel)
        volumes.add("/boot", largest_initramfs(ports), 1);
}

std::uint64_t size_of(Appliance& appliance, const std::vector<OfferedPackage>& packages) {
    std::uint64_t size = 0;
    for (const auto& package : packages)
        size += appliance.file_size(package.file).value_or(0);
    return size;
}

} // namespace um
