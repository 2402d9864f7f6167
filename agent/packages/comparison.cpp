#include "packages/comparison.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <set>

namespace um {
namespace {

constexpr std::chrono::minutes limit{30};
constexpr std::size_t picture_limit = 64UL * 1024 * 1024;
constexpr int first_of_a_shell = 126; // rpm's own status counts differences, and stays below this

std::string packages_file(const std::string& directory) {
    return directory + "/packages";
}

std::string verified_file(const std::string& directory) {
    return directory + "/verified";
}

std::string verified(Appliance& appliance) {
    const auto result = appliance.run(
        {"rpm", "-Va", "--nodigest", "--nosignature", "--nofiledigest", "--noscripts"}, "", limit);
    if (result.timed_out || result.status >= first_of_a_shell)
        throw SystemFailure(
            fmt::format("rpm -Va ended with status {}: {}", result.status, result.errors.substr(0, 300)));
    return result.output;
}

bool is_left_out(const std::string& line, const std::vector<std::string>& left_out) {
    const auto slash = line.find('/');
    return slash != std::string::npos &&
           std::any_of(left_out.begin(), left_out.end(),
                       [&](const std::string& path) { return line.compare(slash, path.size(), path) == 0; });
}

} // namespace

void take_picture(Appliance& appliance, const std::string& directory) {
    replace_file(packages_file(directory), to_text(installed_packages(appliance).packages));
    replace_file(verified_file(directory), verified(appliance));
}

std::vector<std::string> compare_with_picture(Appliance& appliance, const std::string& directory,
                                              const std::vector<std::string>& left_out) {
    std::vector<std::string> found;
    const auto before = read_packages(packages_file(directory));
    const auto now = installed_packages(appliance).packages;
    for (const auto& package : not_in(before, now))
        found.push_back(fmt::format("{} was not installed", full_name(package)));
    for (const auto& package : not_in(now, before))
        found.push_back(fmt::format("{} is not installed", full_name(package)));
    const auto earlier = lines_of(read_file_if_there(verified_file(directory), picture_limit).value_or(""));
    const std::set<std::string> known(earlier.begin(), earlier.end());
    for (const auto& line : lines_of(verified(appliance)))
        if (!known.contains(line) && !is_left_out(line, left_out))
            found.push_back(fmt::format("rpm -Va is not what it was: {}", line));
    return found;
}

} // namespace um
