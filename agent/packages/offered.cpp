#include "packages/offered.hpp"

#include "base/failure.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace um {
namespace {

// The first letter of a line marks its kind: the package, then each provided, required and obsoleted name,
// and each file with its size.
constexpr auto offer_format =
    "N" UM_PACKAGE_FORMAT "[P%{PROVIDENAME}\n][R%{REQUIRENAME}\n][O%{OBSOLETENAME}\n]"
    "[F%{LONGFILESIZES} %{FILENAMES}\n]";

void add_file(OfferedPackage& package, const std::string& text) {
    std::uint64_t size = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), size);
    const auto path = text.find('/');
    if (parsed.ec == std::errc{} && path != std::string::npos) // else the package has no files
        package.files.push_back({text.substr(path), size});
}

/// Reads rpm's answer about these package files.
void add_offered(std::vector<OfferedPackage>& offered, const std::string& answer,
                 const std::vector<std::string>& package_files) {
    std::size_t next = 0;
    for (const auto& line : lines_of(answer)) {
        if (line.empty())
            continue;
        const auto rest = line.substr(1);
        if (line.front() == 'N') {
            const auto packages = parse_packages(rest);
            if (packages.size() != 1 || next == package_files.size())
                throw SystemFailure(fmt::format("rpm calls a package of the media '{}'", rest));
            offered.push_back({packages.front(), package_files[next++], {}, {}, {}, {}});
        } else if (next == 0) {
            continue; // a warning of rpm's
        } else if (line.front() == 'P') {
            offered.back().provides.insert(rest);
        } else if (line.front() == 'R') {
            offered.back().requires_names.insert(rest);
        } else if (line.front() == 'O') {
            offered.back().obsoletes.insert(rest);
        } else if (line.front() == 'F') {
            add_file(offered.back(), rest);
        }
    }
}

} // namespace

std::vector<OfferedPackage> read_offered(Appliance& appliance,
                                         const std::vector<std::string>& package_files) {
    constexpr std::size_t batch = 200; // of an update of the whole OS: what a program prints is limited
    std::vector<OfferedPackage> offered;
    for (std::size_t begin = 0; begin < package_files.size(); begin += batch) {
        const auto end = std::min(begin + batch, package_files.size());
        const std::vector<std::string> files(package_files.begin() + static_cast<std::ptrdiff_t>(begin),
                                             package_files.begin() + static_cast<std::ptrdiff_t>(end));
        add_offered(offered, query_files(appliance, files, offer_format), files);
    }
    return offered;
}

std::vector<Package> packages_of(const std::vector<OfferedPackage>& offered) {
    std::vector<Package> packages;
    packages.reserve(offered.size());
    for (const auto& offer : offered)
        packages.push_back(offer.package);
    return packages;
}

std::set<std::string> obsoleted_by(const std::vector<OfferedPackage>& offered) {
    std::set<std::string> names;
    for (const auto& offer : offered)
        names.insert(offer.obsoletes.begin(), offer.obsoletes.end());
    return names;
}

} // namespace um
