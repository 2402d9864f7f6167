#include "procedure/reboot.hpp"

#include "upgrade/reboot.hpp"
#include "upgrade/units.hpp"

namespace um::stages {

Next reboot(Job& job) {
    const auto policy = job.config.reboot.policy;
    if (reboot_is_due(job)) { // then nobody is asked again
        job.console.line("the reboot has already been requested");
        job.audit.status("the reboot has already been requested");
        return Next::wait_for_boot;
    }
    const bool now = policy == RebootPolicy::now &&
                     ask(job, "Reboot is recommended after an upgrade. Reboot now? (y/n)").value_or(true);
    ensure_verification(job); // an update of the OS on the media may have reset which units are enabled
    job.state.reboot_is_left = policy == RebootPolicy::manual || (policy == RebootPolicy::now && !now);
    request_reboot(job, "");
    return Next::wait_for_boot;
}

} // namespace um::stages
