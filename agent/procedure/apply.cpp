// The stages of the change: it is begun and waited for, and the appliance rebooted.

#include "base/termination.hpp"
#include "change/change.hpp"
#include "procedure/stages.hpp"

namespace um::stages {
namespace {

/// Whether the change is at work; while D-Bus is away it may be.
bool may_be_at_work(Job& job) {
    try {
        return job.ports.services.status(apply_unit).running();
    } catch (const SystemFailure&) {
        return true;              // ignoring: who waits for its end will learn more
    } catch (const Terminated&) { // asked once more, and answered once
        forget_termination();
        return true;
    }
}

/// Half a change is what nobody wants: once it is at work, a request to stop is answered, and not followed.
void refuse_to_stop(Job& job, const Terminated& request) {
    forget_termination();
    if (!may_be_at_work(job))
        throw Terminated{request.signal}; // nothing was begun, or all is done
    job.audit.event(EventKind::warning, job.state,
                    {.message = "asked to stop, but the change is at work and cannot be stopped; going on",
                     .hint = "watch it with 'um-upgrade status --follow'",
                     .stage = Stage::apply,
                     .reason = Reason::busy});
}

} // namespace

void await_change(Job& job) {
    for (bool waiting = true; waiting;) {
        try {
            job.ports.services.wait_for_end(apply_unit,
                                            [&](const std::string& text) { job.audit.progress(text); });
            waiting = false;
        } catch (const Terminated& request) {
            refuse_to_stop(job, request);
        }
    }
    reload(job);
}

void reload(Job& job) {
    const auto state = job.store.load();
    if (!state || state->id != job.state.id)
        throw Failure(Reason::state_damaged, fmt::format("{} changed during the upgrade", job.store.path()),
                      "look at 'journalctl -t um-upgrade'");
    job.state = *state;
}

namespace {

/// Where nothing else stops it, a change whose unit died under a living agent is made again at once.
bool may_make_it_again(Job& job) {
    if (job.state.reason || job.state.tries >= attempt_limit)
        return false;
    return job.state.change == Change::none ||
           (job.state.cut_off() && may_go_on(job, content_of(job.ports, job.config)));
}

void begin_and_await_change(Job& job) {
    try {
        job.ports.services.begin(apply_unit);
    } catch (const Terminated& request) {
        refuse_to_stop(job, request);
    }
    await_change(job);
}

void make_change(Job& job) {
    begin_and_await_change(job);
    while (may_make_it_again(job)) {
        ++job.state.attempts;
        ++job.state.tries;
        job.store.save(job.state);
        job.audit.event(
            EventKind::warning, job.state,
            {.message = fmt::format("{} ended before the change was complete; making it again", apply_unit),
             .stage = Stage::apply,
             .reason = Reason::interrupted});
        begin_and_await_change(job);
    }
}

} // namespace

Next apply(Job& job) {
    auto& ports = job.ports;
    if (job.media) // preflight may have waited for a person, prepare for a service
        ports.media.expect_unchanged(job.media->iso);
    const bool is_due = job.state.change == Change::none || (job.state.cut_off() && job.media);
    if (is_due)
        check_termination(); // from here on the change is begun
    if (job.mounted)
        job.mounted->leave(); // it is the apply unit's now, whatever becomes of this process
    job.mounted.reset();
    const auto unmount = [&] {
        const auto& target = job.config.media.mount_point;
        if (ports.mounts.device_at(target) == job.state.mount_device) // nothing that a person mounted since
            ports.mounts.adopt(target).reset();
        job.media.reset();
    };
    if (is_due)
        try {
            make_change(job);
        } catch (const Terminated&) { // nothing was begun, or all is done
            reload(job);
            unmount();
            throw;
        }
    unmount();
    switch (job.state.change) {
    case Change::done:
        break;
    case Change::failed:
        throw Failure(job.state.reason.value_or(Reason::script_failed), job.state.message, job.state.hint);
    case Change::begun:
        if (job.state.reason)
            throw Failure(*job.state.reason, job.state.message, job.state.hint);
        throw Failure(Reason::interrupted, fmt::format("{} ended before the change was complete", apply_unit),
                      fmt::format("look at 'journalctl -u {}' and {}; the snapshot is the way back",
                                  apply_unit, job.config.log.file));
    case Change::none:
        if (job.state.reason)
            throw Failure(*job.state.reason, job.state.message, job.state.hint);
        throw Failure(Reason::script_failed, fmt::format("{} did not start", apply_unit),
                      fmt::format("look at 'systemctl status {}'", apply_unit));
    }
    job.note = fmt::format("{} installed", job.state.to_version);
    return Next::stage;
}

namespace {

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

/// Where logind cannot schedule it (the change may have taken D-Bus along), the notice is waited for here,
/// and the caller reboots: an appliance that is changed by half must not stay so.
bool schedule_reboot(Job& job) {
    const auto notice = job.config.reboot.notice;
    try {
        job.ports.services.schedule_reboot(notice);
    } catch (const SystemFailure& failure) {
        job.audit.event(
            EventKind::warning, job.state,
            {.message = fmt::format("{}; um-upgrade waits and reboots by itself, and nobody who is "
                                    "logged in is told",
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

void request_reboot(Job& job, const std::string& then) {
    const auto& reboot = job.config.reboot;
    if (reboot_is_due(job)) {
        job.audit.progress("the reboot was requested already");
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

Next reboot(Job& job) {
    const auto policy = job.config.reboot.policy;
    if (reboot_is_due(job)) { // before a person is asked
        job.audit.progress("the reboot was requested already");
        return Next::wait_for_boot;
    }
    const bool now = policy == RebootPolicy::now &&
                     ask(job, "Reboot is recommended after an upgrade. Reboot now? (y/n)").value_or(true);
    ensure_verification(job); // the media can hold an update of the OS that resets which units are enabled
    job.state.reboot_is_left = policy == RebootPolicy::manual || (policy == RebootPolicy::now && !now);
    request_reboot(job, "");
    return Next::wait_for_boot;
}

} // namespace um::stages
