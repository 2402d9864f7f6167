#include "procedure/preflight.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "checks/preflight.hpp"
#include "checks/survey.hpp"
#include "rollback/keep.hpp"

namespace um::stages {
namespace {

/// Keeping the old system takes space in addition to what the change itself requires.
void ask_rollback_cost(Job& job, Facts& facts, Volumes& volumes) {
    facts.rollback_cost = rollback_cost(job);
    if (facts.rollback_cost) {
        facts.rollback_cost->packages = facts.packages;
        for (const auto& need : facts.rollback_cost->cost.needs)
            volumes.add_kept(need.directory, need.bytes, need.files);
    }
    job.rollback_cost = facts.rollback_cost;
}

/// What the hypervisor knows about a snapshot, if it can be asked.
std::optional<SnapshotConfirmation> confirmation_of_hypervisor(Appliance& appliance,
                                                               std::chrono::system_clock::time_point now) {
    constexpr auto tool = "vmware-rpctool"; // of open-vm-tools
    if (!appliance.program_exists(tool))
        return std::nullopt;
    const auto told =
        appliance.run({tool, "info-get guestinfo.um-upgrade.snapshot"}, "", std::chrono::seconds(10));
    return told.status == 0 ? parse_guestinfo(told.output, now) : std::nullopt;
}

bool is_good(const std::optional<SnapshotConfirmation>& snapshot, const Facts& facts) {
    return snapshot && snapshot->version == facts.installed_version && snapshot->valid_until > facts.now &&
           snapshot->confirmed <= facts.now;
}

/// The operator's recorded confirmation comes first, then the hypervisor's. The last resort is the answer of
/// a person at the terminal.
std::optional<SnapshotConfirmation> snapshot(Job& job, const Facts& facts) {
    std::optional<SnapshotConfirmation> recorded;
    collect(job, [&] { recorded = load_confirmation(job.confirmation); });
    if (is_good(recorded, facts))
        return recorded;
    auto told = confirmation_of_hypervisor(job.ports.appliance, facts.now);
    if (is_good(told, facts))
        return told;
    if (!facts.installed_version ||
        !ask(job, "Is a snapshot of the vCloud Usage Meter appliance virtual machine created in the running "
                  "vCenter Server environment? (y/n):")
             .value_or(false))
        return recorded ? recorded : told;
    SnapshotConfirmation confirmed{"confirmed at the terminal", job.ports.appliance.operator_name(),
                                   *facts.installed_version, facts.now, facts.now + std::chrono::hours(24)};
    save_confirmation(job.confirmation, confirmed);
    job.audit.event(EventKind::snapshot_confirmed, job.state,
                    {.message = fmt::format("{} confirmed a snapshot at the terminal", confirmed.by)});
    return confirmed;
}

} // namespace

Next preflight(Job& job) {
    if (job.state.cut_off()) {
        job.note = "passed before the change was begun";
        return Next::stage;
    }
    Volumes volumes(job.ports.appliance);
    auto facts = survey(job, volumes);
    if (job.mounted && facts.database.can_be_read())
        collect(job, [&] { ask_rollback_cost(job, facts, volumes); });
    facts.volumes = volumes.list();
    if (job.config.snapshot.confirmation == Confirmation::required)
        facts.snapshot = snapshot(job, facts);
    const auto found = judge_preflight(facts, job.media->name.version, job.config);
    job.findings.insert(job.findings.end(), found.begin(), found.end());
    job.state.unhealthy = to_text(facts.unhealthy);
    if (facts.sshd)
        job.state.sshd = facts.sshd->unit;
    if (job.config.snapshot.confirmation == Confirmation::assume)
        job.note = "a snapshot is assumed, by policy";
    else if (facts.snapshot)
        job.note = fmt::format("snapshot '{}' confirmed by {} at {}", facts.snapshot->name,
                               facts.snapshot->by, iso8601(facts.snapshot->confirmed));
    if (facts.rollback_cost)
        add_note(job, fmt::format("keeping the old system takes {} and about {:.0f} s",
                                  human_size(facts.rollback_cost->cost.bytes),
                                  std::max(1.0, facts.rollback_cost->seconds)));
    return Next::stage;
}

} // namespace um::stages
