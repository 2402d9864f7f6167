#include "procedure/stages.hpp"

#include "checks/preflight.hpp"
#include "checks/product_logs.hpp"
#include "checks/sshd.hpp"
#include "checks/survey.hpp"
#include "checks/verification.hpp"
#include "rollback/keep.hpp"

namespace um::stages {
namespace {

constexpr std::chrono::seconds command_limit{120};

} // namespace

void ensure_verification(Job& job) {
    const auto status = job.ports.services.status(verify_unit);
    if (status.masked || !status.loaded)
        throw Failure(
            Reason::services_unhealthy,
            fmt::format("{} is {}", verify_unit, status.masked ? "masked" : "not installed"),
            "nothing would go on after the reboot: unmask it, or install um-upgrade's package again");
    if (status.enablement == "disabled" || status.enablement == "enabled-runtime")
        job.ports.services.enable(verify_unit);
}

namespace {

/// What the hypervisor knows of a snapshot, where it can be asked.
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

/// The operator's recorded word, else the hypervisor's, else the answer of who attends.
std::optional<SnapshotConfirmation> snapshot(Job& job, const Facts& facts) {
    std::optional<SnapshotConfirmation> recorded;
    collect(job, [&] { recorded = load_confirmation(job.confirmation); });
    if (is_good(recorded, facts))
        return recorded;
    const auto told = confirmation_of_hypervisor(job.ports.appliance, facts.now);
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
    auto facts = survey(job);
    if (job.config.snapshot.confirmation == Confirmation::required)
        facts.snapshot = snapshot(job, facts);
    const auto found = um::preflight(facts, {job.media->name.version}, job.config);
    job.findings.insert(job.findings.end(), found.begin(), found.end());
    job.state.unwell = to_text(facts.unwell);
    if (facts.sshd)
        job.state.sshd = facts.sshd->unit;
    if (job.config.snapshot.confirmation == Confirmation::assume)
        job.note = "a snapshot is assumed, by policy";
    else if (facts.snapshot)
        job.note = fmt::format("snapshot '{}' confirmed by {} at {}", facts.snapshot->name,
                               facts.snapshot->by, iso8601(facts.snapshot->confirmed));
    if (facts.way_back)
        job.note +=
            fmt::format("{}the way back takes {} and about {:.0f} s", job.note.empty() ? "" : "; ",
                        human_size(facts.way_back->cost.bytes), std::max(1.0, facts.way_back->seconds));
    return Next::stage;
}

namespace {

/// What is found of sshd where it cannot be a refusal any more.
void keep_sshd(Job& job) {
    if (!job.config.sshd.manage)
        return;
    auto& services = job.ports.services;
    const auto& config = job.config.sshd;
    try {
        job.note += ensure_sshd(services, look_at_sshd(services, config, job.state.sshd), config);
    } catch (const Failure& failure) {
        auto finding = failure.finding();
        finding.severity = Finding::Severity::warning;
        job.findings.push_back(std::move(finding));
    } catch (const SystemFailure& failure) {
        job.findings.push_back({Finding::Severity::warning, Reason::sshd_unmanageable, failure.what(),
                                fmt::format("look at 'systemctl status {}'", config.unit)});
    }
}

} // namespace

Next prepare(Job& job) {
    job.store.keep_reserve();
    ensure_verification(job);
    // A kernel package replaced during the change takes the running kernel's modules away: what the medium
    // needs must be in the kernel before.
    const auto loaded = job.ports.appliance.run({"modprobe", "--all", "loop", "isofs"}, "", command_limit);
    if (loaded.status != 0)
        job.findings.push_back(
            {Finding::Severity::warning, Reason::media_filesystem,
             fmt::format("modprobe loop isofs: {}, ignoring: the medium is mounted already", loaded.said()),
             ""});
    const auto& config = job.config.sshd;
    auto& services = job.ports.services;
    if (job.state.cut_off())
        keep_sshd(job); // sshd may be what was cut off: the change is the cure
    else if (config.manage)
        job.note += ensure_sshd(services, look_at_sshd(services, config), config);
    if (!job.state.cut_off())
        mark_logs(job.ports.appliance, job.config, log_marks(job));
    if (!job.state.cut_off())
        keep_way_back(job);
    return Next::stage;
}

Next verify(Job& job) {
    keep_sshd(job); // first: whoever wants to look while the product comes up comes in by it
    const auto verdict = verify_appliance(job);
    job.findings.insert(job.findings.end(), verdict.findings.begin(), verdict.findings.end());
    job.note = fmt::format("{}; {}", verdict.summary, job.note);
    return Next::stage;
}

} // namespace um::stages
