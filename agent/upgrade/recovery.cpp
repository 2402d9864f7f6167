#include "upgrade/recovery.hpp"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sstream>

namespace um {
namespace {

constexpr std::chrono::minutes repair_limit{30};
constexpr auto damaged_hint = "the snapshot is the way back";

bool readable(Appliance& appliance) {
    const auto result = appliance.run({"rpm", "-qa"}, "", repair_limit);
    return result.status == 0 && !result.timed_out;
}

/// Berkeley DB's environment outlives a crash and blocks the next program (rpm 4.14, rpm's own FAQ); sqlite
/// has none.
void remove_environment(Appliance& appliance) {
    auto path = appliance.run({"rpm", "--eval", "%{_dbpath}"}, "", repair_limit).output;
    path.erase(path.find_last_not_of(" \r\n") + 1);
    std::error_code error; // what cannot be removed is rpm's to complain of, ignoring
    for (const auto& entry : std::filesystem::directory_iterator(path, error))
        if (entry.path().filename().string().rfind("__db.", 0) == 0)
            std::filesystem::remove(entry.path(), error);
}

/// "S.5......  c /etc/x": configuration whose size or digest is not the package's, and whose time is (no T),
/// rpm(8).
std::vector<std::string> torn_configuration(const std::string& verified) {
    std::vector<std::string> paths;
    std::istringstream stream(verified);
    for (std::string line; std::getline(stream, line);) {
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

} // namespace

void repair_database(Appliance& appliance, const Say& say) {
    if (readable(appliance))
        return;
    say("the rpm database cannot be read; rebuilding it");
    remove_environment(appliance);
    const auto result = appliance.run({"rpm", "--rebuilddb"}, "", repair_limit);
    if (result.status != 0 || !readable(appliance))
        throw Failure(Reason::packages_damaged,
                      fmt::format("the rpm database cannot be rebuilt: {}", result.said()), damaged_hint);
}

std::vector<Package> leftovers(const std::vector<Package>& media, const Inventory& appliance) {
    std::vector<Package> old;
    const auto& packages = appliance.packages;
    std::copy_if(packages.begin(), packages.end(), std::back_inserter(old), [&](const Package& package) {
        if (appliance.side_by_side.count(package.name) > 0)
            return false;
        return std::any_of(media.begin(), media.end(), [&](const Package& bring) {
            return is_same_place(bring, package) && compare(package, bring) < 0 &&
                   is_installed(packages, bring);
        });
    });
    return old;
}

void erase(Appliance& appliance, const std::vector<Package>& packages, const Say& say) {
    if (packages.empty())
        return;
    std::vector<std::string> command{"rpm", "-e", "--nodeps", "--noscripts", "--notriggers"};
    for (const auto& package : packages) {
        command.push_back(full_name(package));
        say(fmt::format("erasing {}, which the change had replaced already", command.back()));
    }
    const auto result = appliance.run(command, "", repair_limit);
    if (result.status != 0)
        throw Failure(Reason::packages_damaged,
                      fmt::format("packages that are installed twice cannot be erased: {}", result.said()),
                      damaged_hint);
}

void put_damaged_configuration_aside(Appliance& appliance, const std::vector<Package>& packages,
                                     const std::string& suffix, const Say& say) {
    if (packages.empty())
        return;
    std::vector<std::string> command{"rpm", "-V", "--nodeps", "--noscripts"};
    for (const auto& package : packages)
        command.push_back(full_name(package));
    for (const auto& path : torn_configuration(appliance.run(command, "", repair_limit).output)) {
        say(fmt::format("{} was cut off as it was written; putting it aside", path));
        if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, (path + suffix).c_str(), RENAME_NOREPLACE) < 0)
            throw SystemFailure(fmt::format("rename '{}' to '{}{}'", path, path, suffix), errno);
    }
}

std::vector<Package> unfinished(const std::vector<Package>& media, const std::vector<Package>& before,
                                const Inventory& appliance) {
    std::vector<Package> found;
    std::copy_if(media.begin(), media.end(), std::back_inserter(found), [&](const Package& package) {
        return is_installed(appliance.packages, package) && !is_installed(before, package);
    });
    return found;
}

} // namespace um
