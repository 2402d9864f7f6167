#include "upgrade/package_database.hpp"

#include <filesystem>

namespace um {
namespace {

constexpr std::chrono::minutes limit{30};

std::string directory(Appliance& appliance) {
    auto path = appliance.run({"rpm", "--eval", "%{_dbpath}"}, "", limit).output;
    path.erase(path.find_last_not_of(" \r\n") + 1);
    return path;
}

/// The one looks at the tables' structure, the other reads every package.
std::string damage(Appliance& appliance) {
    for (const auto* look : {"--verifydb", "-qa"}) {
        const auto result = appliance.run({"rpm", look}, "", limit);
        if (result.timed_out)
            return fmt::format("rpm {} did not end in {} min", look, limit.count());
        if (result.status != 0)
            return fmt::format("rpm {} ended with status {}: {}", look, result.status,
                               result.errors.substr(0, 300));
    }
    return {};
}

/// Berkeley DB's environment outlives a crash and blocks the next program (rpm 4.14, rpm's own FAQ); sqlite
/// has none.
void remove_environment(Appliance& appliance) {
    std::error_code error; // what cannot be removed is rpm's to complain of, ignoring
    for (const auto& entry : std::filesystem::directory_iterator(directory(appliance), error))
        if (entry.path().filename().string().rfind("__db.", 0) == 0)
            std::filesystem::remove(entry.path(), error);
}

} // namespace

DatabaseFacts look_at_database(Appliance& appliance) {
    return {appliance.lock_holder(directory(appliance) + "/.rpm.lock"), damage(appliance)};
}

void repair_database(Appliance& appliance, const Say& say) {
    const auto found = damage(appliance);
    if (found.empty())
        return;
    say(fmt::format("the rpm database is damaged ({}); rebuilding it", found));
    remove_environment(appliance);
    const auto result = appliance.run({"rpm", "--rebuilddb"}, "", limit);
    const auto left = result.status == 0 ? damage(appliance) : result.said();
    if (!left.empty())
        throw Failure(Reason::packages_damaged, fmt::format("the rpm database cannot be rebuilt: {}", left),
                      "the snapshot is the way back");
}

} // namespace um
