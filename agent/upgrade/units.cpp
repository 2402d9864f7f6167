#include "upgrade/units.hpp"

namespace um {

void ensure_enabled(Services& services, const std::string& unit, Reason reason, const std::string& hint) {
    const auto status = services.status(unit);
    if (status.masked || !status.loaded)
        throw Failure(reason, fmt::format("{} is {}", unit, status.masked ? "masked" : "not installed"),
                      hint);
    if (const auto now = services.enablement(unit); now == "disabled" || now == "enabled-runtime")
        services.enable(unit);
}

void ensure_verification(Job& job) {
    ensure_enabled(
        job.ports.services, verify_unit, Reason::services_unhealthy,
        "nothing would continue after the reboot: unmask it, or install um-upgrade's package again");
}

void ensure_rollback_unit(Job& job, Reason reason) {
    ensure_enabled(job.ports.services, rollback_unit, reason,
                   "unmask it, or install um-upgrade's package again; then start again what you had started");
}

bool change_is_at_work(Job& job, const State& state) {
    return !state.rolling_back() && state.boot_id == job.ports.appliance.boot_id() &&
           job.ports.services.status(apply_unit).running();
}

} // namespace um
