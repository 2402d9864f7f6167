#include "packages/database.hpp"

#include "base/failure.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>

namespace um {
namespace {

constexpr std::chrono::minutes limit{30};
constexpr auto tdnf_lock = "/var/run/.tdnf-instance-lockfile"; // held by any other tdnf, whatever that does
// When a package was installed, then the package as parse_packages() reads it.
constexpr auto dated_format = "%{INSTALLTIME}\n" UM_PACKAGE_FORMAT;

/// Empty where rpm does not work: then damage() has rpm's own words, which are worth more.
std::string told_directory(Appliance& appliance) {
    auto path = appliance.run({"rpm", "--eval", "%{_dbpath}"}, "", limit).output;
    path.erase(path.find_last_not_of(" \r\n/") + 1);
    return path;
}

std::string damage_in(const CommandResult& result, const char* look) {
    if (result.timed_out)
        return fmt::format("rpm {} did not end in {} min", look, limit.count());
    return result.status == 0 ? ""
                              : fmt::format("rpm {} ended with status {}: {}", look, result.status,
                                            result.errors.substr(0, 300));
}

/// `rpm --verifydb` checks the structure of the tables. `rpm -qa` reads every package, and prints them all
/// into `packages`.
std::string damage(Appliance& appliance, std::string& packages) {
    auto found = damage_in(appliance.run({"rpm", "--verifydb"}, "", limit), "--verifydb");
    if (!found.empty())
        return found;
    auto read = appliance.run({"rpm", "-qa", "--queryformat", dated_format}, "", limit);
    packages = std::move(read.output);
    return damage_in(read, "-qa");
}

/// Berkeley DB's environment outlives a crash and blocks the next program (rpm 4.14, rpm's own FAQ). sqlite
/// has none.
void remove_environment(Appliance& appliance) {
    std::error_code error; // ignoring: rpm complains of what cannot be removed
    for (const auto& entry : std::filesystem::directory_iterator(told_directory(appliance), error))
        if (entry.path().filename().string().starts_with("__db."))
            std::filesystem::remove(entry.path(), error);
}

/// `packages`: lines in dated_format.
std::optional<LastInstalled> newest_of(const std::string& packages) {
    std::istringstream stream(packages);
    std::int64_t newest = 0;
    std::string name;
    std::string package;
    for (std::string time; std::getline(stream, time) && std::getline(stream, package);) {
        std::int64_t seconds = 0;
        std::from_chars(time.data(), time.data() + time.size(), seconds);
        if (seconds > newest) {
            newest = seconds;
            name = package.substr(0, package.find('|'));
        }
    }
    if (newest == 0)
        return std::nullopt;
    return LastInstalled{std::chrono::system_clock::time_point(std::chrono::seconds(newest)), name};
}

} // namespace

DatabaseFacts look_at_database(Appliance& appliance) {
    DatabaseFacts facts;
    for (const auto& lock : {told_directory(appliance) + "/.rpm.lock", std::string(tdnf_lock)}) {
        facts.writer = appliance.lock_holder(lock);
        if (facts.writer) // rpm or tdnf would wait for that process to end
            return facts;
    }
    std::string packages;
    facts.damage = damage(appliance, packages);
    if (!facts.damage.empty())
        return facts;
    facts.installed = parse_packages(packages);
    facts.newest = newest_of(packages);
    // Only now it matters which packages may be installed side by side.
    if (!duplicates({facts.installed, {}}).empty())
        facts.duplicates = duplicates(installed_packages(appliance));
    return facts;
}

std::string database_directory(Appliance& appliance) {
    auto path = told_directory(appliance);
    if (path.empty() || path.front() != '/')
        throw SystemFailure(fmt::format("rpm says that its database is in '{}'", path));
    return path;
}

void repair_database(Appliance& appliance, const Say& say) {
    std::string packages;
    const auto found = damage(appliance, packages);
    if (found.empty())
        return;
    say(fmt::format("the rpm database is damaged ({}); rebuilding it", found));
    remove_environment(appliance);
    const auto result = appliance.run({"rpm", "--rebuilddb"}, "", limit);
    const auto left = result.status == 0 ? damage(appliance, packages) : result.said();
    if (!left.empty())
        throw Failure(Reason::packages_damaged, fmt::format("the rpm database cannot be rebuilt: {}", left));
}

} // namespace um
