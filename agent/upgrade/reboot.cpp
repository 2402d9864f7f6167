#include "upgrade/reboot.hpp"

namespace um {
namespace {

/// False when logind cannot schedule the reboot, perhaps because the change has stopped D-Bus. The time of
/// the notice has passed then, and the caller reboots, because a half-changed appliance must not stay like
/// that.
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
    job.state.reboot_is_left = true; // whoever cancels it means to reboot by hand
    job.store.save(job.state);
    return true;
}

} // namespace

/// Every request asks this first, because a second request would move a reboot that is scheduled.
bool reboot_is_due(Job& job) {
    const auto& reboot = job.config.reboot;
    try {
        const auto due = job.ports.services.shutdown_due(
            reboot.policy == RebootPolicy::notice ? reboot.notice : std::chrono::seconds(0));
        return due == "reboot" || due == "shutdown";
    } catch (const SystemFailure&) {
        return false; // ignoring: without an answer, a second request does no harm
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
