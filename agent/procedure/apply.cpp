#include "procedure/apply.hpp"

#include "base/termination.hpp"
#include "change/change.hpp"
#include "change/watch.hpp"

namespace um::stages {
namespace {

/// If the unit of the change died while the agent lives, the change is made again at once. A problem on
/// record, the limit of attempts, or the policy can prevent that.
bool may_make_it_again(Job& job) {
    if (job.state.reason || job.state.tries >= attempt_limit)
        return false;
    return job.state.change == Change::none || (job.state.cut_off() && may_go_on(job));
}

void make_change(Job& job) {
    begin_and_await_change(job);
    while (may_make_it_again(job)) {
        ++job.state.attempts;
        ++job.state.tries;
        job.store.save(job.state);
        job.audit.event(
            EventKind::warning, job.state,
            {.message = fmt::format("{} ended before the change was complete; trying again", apply_unit),
             .stage = Stage::apply,
             .reason = Reason::interrupted});
        begin_and_await_change(job);
    }
}

} // namespace

Next apply(Job& job) {
    auto& ports = job.ports;
    if (job.media) // preflight may have waited for a person, and prepare for a service
        ports.media.expect_unchanged(job.media->iso);
    const bool is_due = job.state.change == Change::none || (job.state.cut_off() && job.media);
    if (is_due)
        check_termination(); // the last point before the change begins
    if (job.mounted)
        job.mounted->leave(); // the mount is the apply unit's now, whatever becomes of this process
    job.mounted.reset();
    const auto unmount = [&] {
        const auto& target = job.config.media.mount_point;
        if (ports.mounts.device_at(target) == job.state.mount_device) // not what a person has mounted since
            ports.mounts.adopt(target).reset();
        job.media.reset();
    };
    if (is_due)
        try {
            make_change(job);
        } catch (const Terminated&) { // nothing has begun, or all is done
            reload(job);
            unmount();
            throw;
        }
    unmount();
    switch (job.state.change) {
    case Change::done:
        break;
    case Change::failed:
        throw Failure(job.state.problem(Reason::script_failed));
    case Change::begun:
        if (job.state.reason)
            throw Failure(job.state.problem(*job.state.reason));
        throw Failure(Reason::interrupted, fmt::format("{} ended before the change was complete", apply_unit),
                      fmt::format("look at 'journalctl -u {}' and {}", apply_unit, job.config.log.file));
    case Change::none:
        if (job.state.reason)
            throw Failure(job.state.problem(*job.state.reason));
        throw Failure(Reason::script_failed, fmt::format("{} did not start", apply_unit),
                      fmt::format("look at 'systemctl status {}'", apply_unit));
    }
    job.note = fmt::format("{} installed", job.state.to_version);
    return Next::stage;
}

} // namespace um::stages
