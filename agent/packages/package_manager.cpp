#include "packages/package_manager.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "ports/ports.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace um {
namespace {

constexpr std::array<const char*, 4> known{"tdnf", "dnf5", "dnf", "yum"};
constexpr std::chrono::minutes test_limit{30}; // it reads every package of the media

std::string configuration(const std::string& directory) {
    return fmt::format("[main]\n"
                       "gpgcheck=0\n"
                       "best=1\n"
                       "plugins=0\n"
                       "installonly_limit=3\n"
                       "clean_requirements_on_remove=0\n"
                       "keepcache=0\n"
                       "reposdir={0}/repos\n" // dnf, dnf5, yum
                       "repodir={0}/repos\n"  // tdnf
                       "cachedir={0}/cache\n"
                       "system_cachedir={0}/cache\n" // dnf5, as root
                       "persistdir={0}/persist\n"
                       "logdir={0}\n",
                       directory);
}

std::string repository_file(const std::string& repository) {
    return fmt::format("[um-upgrade]\n"
                       "name=vCloud Usage Meter upgrade medium\n"
                       "baseurl=file://{}\n"
                       "enabled=1\n"
                       "gpgcheck=0\n"
                       "skip_if_unavailable=0\n"
                       "metadata_expire=0\n", // earlier media had their metadata at the same place
                       repository);
}

/// The end of the output, on one line, for a message.
std::string tail(const std::string& output) {
    constexpr std::size_t limit = 600;
    auto text = output.substr(output.size() > limit ? output.size() - limit : 0);
    text.erase(text.find_last_not_of(" \r\n") + 1);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

} // namespace

PackageManager::PackageManager(Ports& ports, std::string directory, const std::string& repository)
    : ports_(ports), directory_(std::move(directory)) {
    const auto* const found = std::find_if(
        known.begin(), known.end(), [&](const char* name) { return ports_.appliance.program_exists(name); });
    if (found == known.end())
        throw Failure(Reason::packages_unsolvable,
                      "the media hold packages, and no package manager is here (tdnf, dnf5, dnf, yum)",
                      "install one, or use media that hold a script");
    name_ = *found;
    std::error_code error; // ignoring: what cannot be removed cannot be replaced either, and that throws
    std::filesystem::remove_all(directory_, error);
    replace_file(directory_ + "/repos/um-upgrade.repo", repository_file(repository));
    replace_file(directory_ + "/packages.conf", configuration(directory_));
}

PackageManager::~PackageManager() {
    std::error_code error; // ignoring: what is left is removed before the next use
    std::filesystem::remove_all(directory_, error);
}

std::vector<std::string> PackageManager::command(const std::vector<std::string>& words) const {
    std::vector<std::string> result{name_, "--config", directory_ + "/packages.conf"};
    result.insert(result.end(), words.begin(), words.end());
    return result;
}

std::vector<std::string> PackageManager::upgrade() const {
    return command({"-y", "upgrade"});
}

std::vector<std::string> PackageManager::reinstall(const std::vector<Package>& packages) const {
    return command("reinstall", packages);
}

std::vector<std::string> PackageManager::install(const std::vector<Package>& packages) const {
    return command("install", packages);
}

std::vector<std::string> PackageManager::command(const char* verb,
                                                 const std::vector<Package>& packages) const {
    auto words = command({"-y", verb});
    for (const auto& package : packages)
        words.push_back(full_name(package));
    return words;
}

std::string PackageManager::objection() const {
    // With --assumeno, tdnf resolves and ends with status 8. The others let rpm test the transaction.
    const bool resolves_only = name_ == "tdnf";
    const auto result =
        ports_.appliance.run(resolves_only ? command({"--assumeno", "upgrade"})
                                           : command({"-y", "--setopt=tsflags=test", "upgrade"}),
                             "", test_limit);
    const bool fine = result.status == 0 || (resolves_only && result.status == 8);
    if (result.timed_out)
        return fmt::format("{} did not end in {} min", name_, test_limit.count());
    return fine ? "" : fmt::format("{} ended with status {}: {}", name_, result.status, tail(result.said()));
}

} // namespace um
