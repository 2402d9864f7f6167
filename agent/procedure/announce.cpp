#include "procedure/announce.hpp"

#include <utility>

namespace um {

void announce(Job& job) {
    if (std::exchange(job.announced, true))
        return;
    const auto known = [](const std::string& version) { return version.empty() ? "?" : version; };
    job.audit.event(EventKind::upgrade_started, job.state,
                    {.message = fmt::format("upgrade {} started: {} -> {}", job.state.id,
                                            known(job.state.from_version), known(job.state.to_version))});
    announce_stage(job);
}

void announce_stage(Job& job) {
    const auto stage = job.state.stage;
    job.audit.event(EventKind::stage_started, job.state,
                    {.message = fmt::format("{} …", word(stage)), .stage = stage});
}

} // namespace um
