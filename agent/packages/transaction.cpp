#include "packages/transaction.hpp"

#include "media/media_name.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace um {
namespace {

constexpr std::uint64_t block = 4096; // what a file system hands out, mostly
// One line of each kind: what the package is called, then its names by their first letter.
constexpr auto offer_format = "N%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}\n"
                              "[P%{PROVIDENAME}\n][R%{REQUIRENAME}\n][O%{OBSOLETENAME}\n]";
constexpr auto file_format = "[%{LONGFILESIZES} %{FILENAMES}\n]";

std::vector<OfferedPackage> parse_offer(const std::string& text, const std::vector<std::string>& files) {
    std::vector<OfferedPackage> offered;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        if (line.empty())
            continue;
        const auto rest = line.substr(1);
        if (line.front() == 'N') {
            const auto packages = parse_packages(rest);
            if (packages.size() != 1 || offered.size() == files.size())
                throw SystemFailure(fmt::format("rpm calls a package of the media '{}'", rest));
            offered.push_back({packages.front(), files[offered.size()], {}, {}, {}});
        } else if (!offered.empty()) {
            auto& names = line.front() == 'P'   ? offered.back().provides
                          : line.front() == 'R' ? offered.back().requires_names
                                                : offered.back().obsoletes;
            names.insert(rest);
        }
    }
    return offered;
}

bool obsoletes(const OfferedPackage& offer, const std::vector<Package>& installed) {
    return std::any_of(installed.begin(), installed.end(),
                       [&](const Package& package) { return offer.obsoletes.count(package.name) > 0; });
}

/// Whether something older stands at its place, and nothing as new: an old kernel stays beside a newer one.
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

/// Of several versions the newest is taken.
bool is_outdone(const OfferedPackage& offer, const std::vector<OfferedPackage>& offered) {
    return std::any_of(offered.begin(), offered.end(), [&](const OfferedPackage& other) {
        return is_same_place(offer.package, other.package) && compare(offer.package, other.package) < 0;
    });
}

/// Files, rpm's own features and rich dependencies are for the solver to judge; an appliance has most.
bool is_plain_name(const std::string& name) {
    return !name.empty() && name.front() != '/' && name.front() != '(' && name.rfind("rpmlib(", 0) != 0;
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
    std::vector<bool> taken; // or never to be
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
            for (std::size_t i = 0; i < offered.size() && is_plain_name(name) && !provided.count(name); ++i)
                if (!taken[i] && offered[i].provides.count(name) > 0)
                    take(i);
    return result;
}

std::vector<OfferedPackage> transaction(Ports& ports, const std::string& repository,
                                        const std::vector<Package>& installed) {
    const auto files = package_files(ports, repository);
    if (files.empty())
        return {};
    const auto offered = parse_offer(query_files(ports.appliance, files, offer_format), files);
    std::set<std::string> provided;
    std::istringstream stream(query_installed(ports.appliance, "[%{PROVIDENAME}\n]"));
    for (std::string name; std::getline(stream, name);)
        provided.insert(name);
    return selected(offered, installed, provided);
}

void add_needs(Ports& ports, const std::vector<OfferedPackage>& packages, Volumes& volumes) {
    if (packages.empty())
        return;
    std::vector<std::string> files;
    for (const auto& package : packages)
        files.push_back(package.file);
    bool kernel = false;
    std::istringstream stream(query_files(ports.appliance, files, file_format));
    for (std::string line; std::getline(stream, line);) {
        std::uint64_t size = 0;
        const auto parsed = std::from_chars(line.data(), line.data() + line.size(), size);
        const auto path = line.find('/');
        if (parsed.ec != std::errc{} || path == std::string::npos)
            continue; // a package without files
        volumes.add(directory_of(line.substr(path)), (size + block - 1) / block * block, 1);
        kernel = kernel || line.compare(path, 13, "/boot/vmlinuz") == 0;
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
