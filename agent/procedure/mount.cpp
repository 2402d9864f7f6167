#include "procedure/mount.hpp"

#include "change/change.hpp"

namespace um::stages {

Next mount(Job& job) {
    auto& ports = job.ports;
    const auto& target = job.config.media.mount_point;
    ports.mounts.clear(target);
    ports.media.expect_unchanged(job.media->iso);
    job.mounted = ports.mounts.mount(job.media->iso, target);
    ports.media.expect_unchanged(job.media->iso);
    job.state.mount_device = job.mounted->device();
    job.content.reset();
    job.offered.reset();
    const auto method = method_of(job);
    if (job.state.cut_off() && !may_go_on(job)) {
        job.state.stage = Stage::apply; // the change is what fails, not the mount
        throw Failure(
            Reason::interrupted,
            fmt::format("the change was cut off, and the media do not declare that '{}' may run again",
                        job.config.apply.script),
            fmt::format("look at {}", job.config.log.file));
    }
    job.note += fmt::format("mounted on {}, read-only; the change is made by {}", target,
                            method == Method::script ? job.config.apply.script : "the package manager");
    return Next::stage;
}

} // namespace um::stages
