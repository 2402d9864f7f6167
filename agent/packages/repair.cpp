#include "packages/repair.hpp"

#include "base/failure.hpp"
#include "base/path.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <set>

namespace um {
namespace {

constexpr std::chrono::minutes repair_limit{30};

/// Lines such as "S.5......  c /etc/x" (rpm(8)): the size or digest of this configuration is not the
/// package's, but its time is (no T).
std::vector<std::string> torn_configuration(const std::string& verified) {
    std::vector<std::string> paths;
    for (const auto& line : lines_of(verified)) {
        const auto mark = line.find(" c /");
        const auto flags = line.substr(0, mark);
        if (mark != std::string::npos && flags.find_first_of("S5") != std::string::npos &&
            flags.find('T') == std::string::npos)
            paths.push_back(line.substr(mark + 3));
    }
    return paths;
}

bool is_installed(const std::vector<Package>& packages, const Package& package) {
    return std::find(packages.begin(), packages.end(), package) != packages.end();
}

template <class What>
void erase_with(Appliance& appliance, const std::vector<std::string>& options,
                const std::vector<Package>& packages, const Say& say, What what) {
    if (packages.empty())
        return;
    std::vector<std::string> command{"rpm", "-e"};
    command.insert(command.end(), options.begin(), options.end());
    for (const auto& package : packages) {
        command.push_back(full_name(package));
        say(what(command.back()));
    }
    const auto result = appliance.run(command, "", repair_limit);
    if (result.status != 0)
        throw Failure(Reason::packages_damaged,
                      fmt::format("what the cut left behind cannot be erased: {}", result.said()));
}

} // namespace

std::vector<Package> leftovers(const std::vector<Package>& media, const InstalledPackages& appliance) {
    std::vector<Package> old;
    const auto& packages = appliance.packages;
    std::copy_if(packages.begin(), packages.end(), std::back_inserter(old), [&](const Package& package) {
        if (appliance.side_by_side.contains(package.name))
            return false;
        return std::any_of(media.begin(), media.end(), [&](const Package& bring) {
            return is_same_place(bring, package) && compare(package, bring) < 0 &&
                   is_installed(packages, bring);
        });
    });
    return old;
}

void erase(Appliance& appliance, const std::vector<Package>& packages, const Say& say) {
    const auto what = [](const std::string& name) {
        return fmt::format("erasing {}, which the change had replaced already", name);
    };
    erase_with(appliance, {"--nodeps", "--noscripts", "--notriggers"}, packages, say, what);
}

void forget(Appliance& appliance, const std::vector<Package>& packages, const Say& say) {
    const auto what = [](const std::string& name) {
        return fmt::format("{} is new here and may lack its scripts; it will be installed again", name);
    };
    erase_with(appliance, {"--justdb", "--nodeps", "--noscripts", "--notriggers"}, packages, say, what);
}

void put_damaged_configuration_aside(Appliance& appliance, const std::vector<std::string>& files,
                                     const std::string& suffix, const Say& say) {
    if (files.empty())
        return;
    std::vector<std::string> command{"rpm", "-Vp", "--nodeps", "--noscripts", "--nosignature", "--nodigest"};
    command.insert(command.end(), files.begin(), files.end());
    for (const auto& path : torn_configuration(appliance.run(command, "", repair_limit).output)) {
        say(fmt::format("{} was cut off as it was written; putting it aside", path));
        if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, (path + suffix).c_str(), RENAME_NOREPLACE) < 0)
            throw SystemFailure(fmt::format("rename '{}' to '{}{}'", path, path, suffix), errno);
    }
}

void remove_unpacked(const std::vector<OfferedPackage>& offered, const Say& say) {
    std::set<std::string> owned;
    std::set<std::string> directories;
    for (const auto& package : offered)
        for (const auto& file : package.files) {
            owned.insert(file.path);
            directories.insert(parent_of(file.path));
        }
    std::error_code error; // ignoring: a directory that is not there yet, or a file that cannot be removed
    for (const auto& directory : directories)
        for (const auto& entry : std::filesystem::directory_iterator(directory, error))
            if (const auto path = entry.path().string();
                is_unpacked(path) && owned.contains(unpacked_name(path))) {
                say(fmt::format("removing {}, which was being written", path));
                std::filesystem::remove(path, error);
            }
}

std::vector<Package> unfinished(const std::vector<Package>& media, const std::vector<Package>& before,
                                const InstalledPackages& appliance) {
    return common(not_in(before, media), appliance.packages);
}

} // namespace um
