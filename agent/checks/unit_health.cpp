#include "checks/unit_health.hpp"

#include <algorithm>

namespace um {

std::vector<UnitHealth> look_at_units(Ports& ports, const std::vector<std::string>& units) {
    std::vector<UnitHealth> result;
    for (const auto& unit : units) {
        UnitHealth health{unit, {}, 0, {}};
        try {
            const auto status = ports.services.status(unit);
            health.active = status.masked ? "masked" : status.loaded ? status.active : "not installed";
            const auto history = ports.services.history(unit);
            health.restarts = history.restarts;
            health.steady = ports.appliance.uptime() - history.active_since;
        } catch (const SystemFailure& failure) {
            health.active = fmt::format("unknown ({})", failure.what());
        }
        result.push_back(std::move(health));
    }
    return result;
}

std::vector<std::string> units_of_product(const std::vector<std::string>& named, const StatusReport& report) {
    static constexpr auto unit_characters = "abcdefghijklmnopqrstuvwxyz0123456789:-_.\\@"; // systemd.unit(5)
    auto units = named;
    for (const auto& line : parse_status_report(report.output)) {
        const auto unit = line.service + ".service";
        const bool may_be = line.service.find_first_not_of(unit_characters) == std::string::npos;
        if (may_be && std::find(units.begin(), units.end(), unit) == units.end())
            units.push_back(unit);
    }
    return units;
}

Unhealthy unhealthy_before(const std::vector<UnitHealth>& units, const StatusReport& report) {
    Unhealthy names;
    // A unit that is not installed may come with the upgrade. It and one that is "unknown" are left out.
    for (const auto& unit : units)
        if (unit.active == "failed" || unit.active == "inactive" || unit.active == "masked" ||
            unit.active == "activating")
            names.insert(unit.unit);
    const auto lines = parse_status_report(report.output);
    if (report.timed_out || lines.empty())
        names.insert(report_itself);
    for (const auto& line : lines)
        if (line.state == ServiceState::offline)
            names.insert(name_of(line));
    return names;
}

bool is_coming_up(const std::vector<UnitHealth>& units, const StatusReport& report) {
    const auto lines = parse_status_report(report.output);
    return std::any_of(units.begin(), units.end(),
                       [](const UnitHealth& unit) { return unit.active == "activating"; }) ||
           report.timed_out || lines.empty() ||
           std::any_of(lines.begin(), lines.end(),
                       [](const ServiceLine& line) { return line.state == ServiceState::offline; });
}

std::vector<Finding> judge_units(const std::vector<UnitHealth>& units, const Unhealthy& before) {
    std::vector<Finding> findings;
    for (const auto& [unit, active, restarts, steady] : units) {
        const auto hint = fmt::format("look at 'journalctl -u {}'", unit);
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(steady).count();
        if (active == "activating" && restarts > 0) // it came up or failed before: that is no slow start
            findings.push_back(excuse(
                unit, before,
                refusal(
                    {Reason::verify_unit,
                     fmt::format("{} does not stay up: restarted {} times since the boot, and is starting",
                                 unit, restarts),
                     hint})));
        else if (active == "activating" || active == "reloading")
            findings.push_back(excuse(
                unit, before,
                refusal({Reason::verify_deadline, fmt::format("{} is still {}", unit, active), hint})));
        else if (active != "active")
            findings.push_back(excuse(
                unit, before, refusal({Reason::verify_unit, fmt::format("{} is {}", unit, active), hint})));
        else if (steady < steady_time)
            findings.push_back(excuse(
                unit, before,
                refusal({Reason::verify_unit,
                         restarts > 0 ? fmt::format("{} does not stay up: restarted {} times since the boot, "
                                                    "active for {} s",
                                                    unit, restarts, seconds)
                                      : fmt::format("{} has been active for only {} s", unit, seconds),
                         hint})));
        else if (restarts > 0)
            findings.push_back(
                warning({Reason::verify_unit,
                         fmt::format("{} was restarted {} times since the boot, and is active for {} s", unit,
                                     restarts, seconds),
                         hint}));
    }
    return findings;
}

} // namespace um
