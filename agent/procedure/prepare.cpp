#include "procedure/prepare.hpp"

#include "checks/product_logs.hpp"
#include "checks/sshd.hpp"
#include "rollback/keep.hpp"
#include "upgrade/units.hpp"

namespace um::stages {

Next prepare(Job& job) {
    job.store.keep_reserve();
    ensure_verification(job);
    // A change that replaces the kernel package removes the running kernel's modules. So the modules that the
    // medium requires must be loaded before.
    const auto loaded =
        job.ports.appliance.run({"modprobe", "--all", "loop", "isofs"}, "", std::chrono::minutes(2));
    if (loaded.status != 0)
        job.findings.push_back(warning(
            {Reason::media_filesystem,
             fmt::format("modprobe loop isofs: {}, ignoring: the medium is mounted already", loaded.said()),
             ""}));
    const auto& config = job.config.sshd;
    auto& services = job.ports.services;
    if (job.state.cut_off())
        try_ensure_sshd(job); // the cut may have broken sshd, and the change repairs it
    else if (config.manage)
        job.note += ensure_sshd(services, look_at_sshd(services, config), config);
    if (!job.state.cut_off())
        mark_logs(job.ports.appliance, job.config, log_marks(job));
    if (!job.state.cut_off())
        keep_old_system(job);
    return Next::stage;
}

} // namespace um::stages
