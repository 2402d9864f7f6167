#include "packages/packages.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "base/version.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>

namespace um {
namespace {

constexpr auto query_format = UM_PACKAGE_FORMAT; // rpm --querytags
constexpr std::chrono::seconds query_limit{600}; // rpm waits for a lock that a transaction holds

std::optional<Package> parse_line(const std::string& line) {
    std::array<std::string, 5> fields;
    std::istringstream stream(line);
    for (auto& field : fields)
        if (!std::getline(stream, field, '|') || field.empty())
            return std::nullopt;
    if (!stream.eof())
        return std::nullopt;
    return Package{fields[0], fields[1], fields[2], fields[3], fields[4]};
}

/// Photon OS's kernels provide none of the names that rpm is asked for below. Its tdnf knows them by name.
bool is_kernel(const std::string& name) {
    constexpr std::array<std::string_view, 5> kernels{"linux", "linux-esx", "linux-aws", "linux-secure",
                                                      "linux-rt"};
    return std::find(kernels.begin(), kernels.end(), name) != kernels.end();
}

std::string query(Appliance& appliance, std::vector<std::string> command, const char* format) {
    command.insert(command.end(), {"--queryformat", format});
    auto result = appliance.run(command, "", query_limit);
    if (result.output.size() >= output_limit)
        throw SystemFailure(fmt::format("'{} {}' prints more than um-upgrade reads", command[0], command[1]));
    if (result.timed_out || result.status != 0)
        throw SystemFailure(fmt::format("'{} {}' ended with status {}: {}", command[0], command[1],
                                        result.status, result.said().substr(0, 300)));
    return result.output;
}

/// Lines such as "missing     /usr/lib/x". A mark before the path would mean configuration or documentation.
std::vector<std::string> parse_missing(const std::string& verified) {
    constexpr std::string_view word = "missing ";
    std::vector<std::string> files;
    for (const auto& line : lines_of(verified)) {
        const auto path = line.find_first_not_of(' ', word.size());
        if (line.starts_with(word) && path != std::string::npos && line[path] == '/')
            files.push_back(line.substr(path));
    }
    return files;
}

} // namespace

std::string query_files(Appliance& appliance, const std::vector<std::string>& files, const char* format) {
    std::vector<std::string> command{"rpm", "-qp", "--nosignature", "--nodigest"}; // authenticated as a whole
    command.insert(command.end(), files.begin(), files.end());
    return query(appliance, std::move(command), format);
}

std::string query_installed(Appliance& appliance, const char* format) {
    return query(appliance, {"rpm", "-qa"}, format);
}

int compare(const Package& left, const Package& right) {
    if (const int order = compare_versions(left.epoch, right.epoch); order != 0)
        return order;
    if (const int order = compare_versions(left.version, right.version); order != 0)
        return order;
    return compare_versions(left.release, right.release);
}

bool is_same_place(const Package& left, const Package& right) {
    return left.name == right.name &&
           (left.arch == right.arch || left.arch == "noarch" || right.arch == "noarch");
}

std::string full_name(const Package& package) {
    return fmt::format("{}-{}.{}", package.name, package.version_release(), package.arch);
}

std::vector<Package> parse_packages(const std::string& text) {
    std::vector<Package> packages;
    for (const auto& line : lines_of(text))
        if (auto package = parse_line(line))
            packages.push_back(std::move(*package));
    return packages;
}

std::string to_text(const std::vector<Package>& packages) {
    std::string text;
    for (const auto& package : packages)
        text += fmt::format("{}|{}|{}|{}|{}\n", package.name, package.epoch, package.version, package.release,
                            package.arch);
    return text;
}

std::vector<Package> read_packages(const std::string& path) {
    return parse_packages(read_file_if_there(path, record_limit).value_or(""));
}

std::vector<std::string> shortcomings(const std::vector<Package>& media, const std::vector<Package>& before,
                                      const InstalledPackages& appliance) {
    std::map<std::string, std::vector<const Package*>> places; // what is installed of the media
    for (const auto& package : appliance.packages)
        if (std::any_of(media.begin(), media.end(),
                        [&](const Package& other) { return is_same_place(other, package); }))
            places[package.arch == "noarch" ? package.name : package.name + "." + package.arch].push_back(
                &package);
    std::vector<std::string> found;
    const auto holds = [](const std::vector<Package>& packages, const std::string& name) {
        return std::any_of(packages.begin(), packages.end(),
                           [&](const Package& package) { return package.name == name; });
    };
    for (const auto& package : before)
        if (holds(media, package.name) && !holds(appliance.packages, package.name))
            found.push_back(fmt::format("{} is no longer installed", package.name));
    for (const auto& [place, installed] : places) {
        const auto newest = *std::max_element(
            installed.begin(), installed.end(),
            [](const Package* left, const Package* right) { return compare(*left, *right) < 0; });
        const Package* wanted = nullptr;
        for (const auto& package : media)
            if (is_same_place(package, *newest) && (wanted == nullptr || compare(*wanted, package) < 0))
                wanted = &package;
        if (compare(*newest, *wanted) < 0)
            found.push_back(fmt::format("{} is at {}, the media bring {}", place, newest->version_release(),
                                        wanted->version_release()));
        if (installed.size() > 1 && appliance.side_by_side.count(newest->name) == 0)
            found.push_back(fmt::format("{} is installed {} times", place, installed.size()));
    }
    return found;
}

std::vector<std::string> duplicates(const InstalledPackages& appliance) {
    std::map<std::string, std::size_t> times;
    for (const auto& package : appliance.packages)
        if (package.name != "gpg-pubkey" &&
            appliance.side_by_side.count(package.name) == 0) // a key is no package
            ++times[package.name + "." + package.arch];
    std::vector<std::string> found;
    for (const auto& [name, count] : times)
        if (count > 1)
            found.push_back(fmt::format("{} is installed {} times", name, count));
    return found;
}

std::vector<Package> not_in(const std::vector<Package>& others, const std::vector<Package>& packages) {
    std::vector<Package> found;
    std::ranges::copy_if(packages, std::back_inserter(found), [&](const Package& package) {
        return std::ranges::find(others, package) == others.end();
    });
    return found;
}

std::vector<Package> common(const std::vector<Package>& left, const std::vector<Package>& right) {
    std::vector<Package> found;
    std::copy_if(left.begin(), left.end(), std::back_inserter(found), [&](const Package& package) {
        return std::find(right.begin(), right.end(), package) != right.end();
    });
    return found;
}

std::vector<Package> without(const std::set<std::string>& names, std::vector<Package> packages) {
    std::erase_if(packages, [&](const Package& package) { return names.contains(package.name); });
    return packages;
}

InstalledPackages installed_packages(Appliance& appliance) {
    InstalledPackages inventory;
    inventory.packages = parse_packages(query_installed(appliance, query_format));
    // If no package provides a kernel, the status is 1, and what rpm prints is no package.
    const auto kernels = appliance.run({"rpm", "-q", "--whatprovides", "kernel", "installonlypkg(kernel)",
                                        "installonlypkg(kernel-module)", "installonlypkg(vm)",
                                        "multiversion(kernel)", "--queryformat", query_format},
                                       "", query_limit);
    for (const auto& package : parse_packages(kernels.output))
        inventory.side_by_side.insert(package.name);
    for (const auto& package : inventory.packages)
        if (is_kernel(package.name))
            inventory.side_by_side.insert(package.name);
    return inventory;
}

std::vector<std::string> missing_files(Appliance& appliance, const std::vector<Package>& packages) {
    if (packages.empty())
        return {};
    std::vector<std::string> command{"rpm",      "-V",        "--nodeps",  "--noscripts", "--nofiledigest",
                                     "--nosize", "--nomtime", "--nomode",  "--nouser",    "--nogroup",
                                     "--nocaps", "--nordev",  "--nolinkto"};
    for (const auto& package : packages)
        command.push_back(full_name(package));
    return parse_missing(appliance.run(command, "", query_limit).output);
}

std::vector<std::string> left_obsolete(Appliance& appliance, const std::vector<Package>& packages) {
    std::vector<std::string> found;
    if (packages.empty())
        return found;
    std::vector<std::string> command{"rpm", "-V", "--nofiles", "--noscripts"};
    for (const auto& package : packages)
        command.push_back(full_name(package));
    for (const auto& line : lines_of(appliance.run(command, "", query_limit).output))
        if (line.find(" is obsoleted by ") != std::string::npos) // the words of rpm's rpmproblem.c
            found.push_back(line.substr(line.find_first_not_of(" \t")));
    return found;
}

} // namespace um
