#include "upgrade/reboot.hpp"

namespace um {
namespace {

/// Where logind cannot schedule it (the change may have taken D-Bus along), the notice is waited for here,
/// and the caller reboots: an appliance that is changed by half must not stay so.
bool schedule_reboot(Job& job) {
    const auto notice = job.config.reboot.notice;
    try {
        job.ports.services.schedule_reboot(notice);
    } catch (const SystemFailure& failure) {
        job.audit.event(EventKind::warning, job.state,
                        {.message = fmt::format("{}; um-upgrade waits and reboots by itself, without a "
                                                "message to logged-in users",
                                                failure.what()),
                         .hint = "look at 'systemctl status dbus systemd-logind'",
                         .stage = job.state.stage,
                         .reason = Reason::system_failed});
        job.ports.appliance.sleep(notice);
        return false;
    }
    job.state.reboot_is_left = true; // who cancels it means to reboot himself
    job.store.save(job.state);
    return true;
}

} // namespace

/// A reboot that was asked for before this agent was started; asking twice would move one that is scheduled.
bool reboot_is_due(Job& job) {
    const auto& reboot = job.config.reboot;
    try {
        const auto due = job.ports.services.shutdown_due(
            reboot.policy == RebootPolicy::notice ? reboot.notice : std::chrono::seconds(0));
        return due == "reboot" || due == "shutdown";
    } catch (const SystemFailure&) {
        return false; // ignoring: a second request does no harm
    }
}

void request_reboot(Job& job, const std::string& then) {
    const auto& reboot = job.config.reboot;
    if (reboot_is_due(job)) {
        job.console.line("the reboot has already been requested");
        job.audit.status("the reboot has already been requested");
        return;
    }
    job.ports.appliance.sync();
    std::string message = "reboot requested";
    if (job.state.reboot_is_left)
        message = "the reboot is left to the operator: run 'reboot'";
    else if (reboot.policy == RebootPolicy::notice)
        message = fmt::format("reboot in {} s", reboot.notice.count());
    job.store.save(job.state);
    job.audit.event(
        EventKind::reboot_requested, job.state,
        {.message = then.empty() ? message : fmt::format("{}; {}", message, then), .stage = job.state.stage});
    job.ports.appliance.flush_journal();
    if (job.state.reboot_is_left)
        return;
    if (reboot.policy == RebootPolicy::notice && schedule_reboot(job))
        return;
    job.ports.services.reboot();
}

} // namespace um
