#include "packages/offered.hpp"

#include "base/failure.hpp"
#include "base/text.hpp"

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

} // namespace

std::vector<OfferedPackage> read_offered(Appliance& appliance,
                                         const std::vector<std::string>& package_files) {
    std::vector<OfferedPackage> offered;
    if (package_files.empty())
        return offered;
    for (const auto& line : lines_of(query_files(appliance, package_files, offer_format))) {
        if (line.empty())
            continue;
        const auto rest = line.substr(1);
        if (line.front() == 'N') {
            const auto packages = parse_packages(rest);
            if (packages.size() != 1 || offered.size() == package_files.size())
                throw SystemFailure(fmt::format("rpm calls a package of the media '{}'", rest));
            offered.push_back({packages.front(), package_files[offered.size()], {}, {}, {}, {}});
        } else if (offered.empty()) {
            continue; // one of rpm's warnings
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
