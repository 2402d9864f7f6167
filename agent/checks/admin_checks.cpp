#include "checks/admin_checks.hpp"

#include "base/text.hpp"

namespace um {
namespace {

struct Kind {
    const char* directory;
    Finding::Severity severity;
};

constexpr Kind kinds[] = {{"required", Finding::Severity::refusal}, {"wanted", Finding::Severity::warning}};

/// The last line with text, because checks print their progress first and their verdict last.
std::string last_line(std::string text) {
    constexpr std::size_t limit = 300;
    text.erase(text.find_last_not_of(" \r\n\t") + 1);
    text.erase(0, text.rfind('\n') + 1);
    return text.empty() ? "it says nothing" : printable(std::move(text), limit);
}

/// The check's objection to the upgrade; empty when it has none.
std::string objection(Appliance& appliance, const AdminCheck& check, const char* argument,
                      const std::string& version) {
    if (!check.problem.empty())
        return check.problem;
    const auto result = appliance.run({check.path, argument, version}, "", admin_check_limit);
    if (result.timed_out)
        return fmt::format("it did not end in {} min", admin_check_limit.count());
    return result.status == 0 ? ""
                              : fmt::format("exit status {}: {}", result.status, last_line(result.said()));
}

} // namespace

std::vector<Finding> run_admin_checks(Appliance& appliance, Occasion occasion, const std::string& version) {
    const auto* const argument = occasion == Occasion::before ? "before" : "after";
    const auto reason = occasion == Occasion::before ? Reason::check_failed : Reason::verify_check;
    std::vector<Finding> findings;
    for (const auto& [directory, severity] : kinds)
        for (const auto& check : appliance.admin_checks(fmt::format("{}/{}", checks_directory, directory)))
            if (const auto why = objection(appliance, check, argument, version); !why.empty())
                findings.push_back(
                    {{reason, fmt::format("the {} check '{}' fails: {}", directory, check.path, why),
                      fmt::format("run '{} {} {}' by hand", check.path, argument, version)},
                     severity});
    return findings;
}

} // namespace um
