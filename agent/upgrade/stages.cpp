#include "upgrade/stages.hpp"

#include "system/file.hpp"
#include "upgrade/content.hpp"
#include "upgrade/health.hpp"
#include "upgrade/package_manager.hpp"
#include "upgrade/packages.hpp"
#include "upgrade/preflight.hpp"
#include "upgrade/product.hpp"

#include <algorithm>

namespace um::stages {
namespace {

constexpr std::chrono::seconds command_limit{120};

/// Precondition 2 of the procedure; after the boot again, because an update of the OS can reset it.
void ensure_sshd(Job& job) {
    if (!job.config.sshd.manage)
        return;
    auto& services = job.ports.services;
    const auto& unit = job.config.sshd.unit;
    const auto before = services.status(unit);
    if (before.masked || !before.loaded)
        throw Failure(Reason::sshd_unmanageable,
                      fmt::format("{} is {}", unit, before.masked ? "masked" : "not installed"),
                      "unmask or install it, correct [sshd] unit, or set [sshd] manage = no");
    try {
        if (before.enablement == "disabled" || before.enablement == "enabled-runtime")
            services.enable(unit);
        if (before.active != "active")
            services.start(unit);
    } catch (const SystemFailure& failure) {
        throw Failure(Reason::sshd_unmanageable, failure.what(),
                      fmt::format("look at 'systemctl status {}', or set [sshd] manage = no", unit));
    }
    job.note += fmt::format("{} was {} and {}", unit, before.enablement, before.active);
}

/// Would the package manager do it? Where the media's script makes the change, it is the script's to know.
std::string objection(Job& job) {
    const auto content = content_of(job.ports, job.config);
    if (method_for(content, job.config) == Method::script)
        return {};
    job.audit.progress("preflight: testing the transaction");
    return PackageManager(job.ports, job.store.directory() + "/work", content.repository).objection();
}

} // namespace

Next preflight(Job& job) {
    if (job.state.cut_off()) {
        job.note = "passed before the change was begun";
        return Next::stage;
    }
    auto& appliance = job.ports.appliance;
    Facts facts;
    const auto product = installed_product(appliance, job.config);
    facts.installed_version = product.version;
    facts.version_output = product.said;
    facts.now = appliance.now();
    for (const auto* path : {"/", "/boot", "/var"})
        facts.space.push_back(appliance.space(path));
    collect(job, [&] { facts.snapshot = load_confirmation(job.confirmation); });
    const bool confirmed_now = !facts.snapshot &&
                               job.config.snapshot.confirmation == Confirmation::required &&
                               facts.installed_version &&
                               ask(job, "Is a snapshot of the vCloud Usage Meter appliance virtual machine "
                                        "created in the running vCenter "
                                        "Server environment? (y/n):")
                                   .value_or(false);
    if (confirmed_now) {
        facts.snapshot =
            SnapshotConfirmation{"confirmed at the terminal", appliance.operator_name(),
                                 *facts.installed_version, facts.now, facts.now + std::chrono::hours(24)};
        save_confirmation(job.confirmation, *facts.snapshot);
        job.audit.event(
            EventKind::snapshot_confirmed, job.state,
            {.message = fmt::format("{} confirmed a snapshot at the terminal", facts.snapshot->by)});
    }
    facts.database = look_at_database(appliance);
    if (job.mounted && !facts.database.writer)
        collect(job, [&] { facts.objection = objection(job); });
    const auto found = um::preflight(facts, {job.media->name.version, job.media->iso.size}, job.config);
    job.findings.insert(job.findings.end(), found.begin(), found.end());
    if (job.config.snapshot.confirmation == Confirmation::assume)
        job.note = "a snapshot is assumed, by policy";
    else if (facts.snapshot)
        job.note = fmt::format("snapshot '{}' confirmed by {} at {}", facts.snapshot->name,
                               facts.snapshot->by, iso8601(facts.snapshot->confirmed));
    return Next::stage;
}

Next prepare(Job& job) {
    job.store.keep_reserve();
    // A kernel package replaced during the change takes the running kernel's modules away: what the medium
    // needs must be in the kernel before.
    const auto loaded = job.ports.appliance.run({"modprobe", "--all", "loop", "isofs"}, "", command_limit);
    if (loaded.status != 0)
        job.findings.push_back(
            {Finding::Severity::warning, Reason::media_filesystem,
             fmt::format("modprobe loop isofs: {}, ignoring: the medium is mounted already", loaded.said()),
             ""});
    try {
        ensure_sshd(job);
    } catch (const Failure& failure) {
        if (!job.state.cut_off())
            throw;
        auto finding = failure.finding(); // sshd may be what was cut off: the change is the cure
        finding.severity = Finding::Severity::warning;
        job.findings.push_back(std::move(finding));
    }
    return Next::stage;
}

namespace {

/// What the media brought and is not there; the change was measured by the same list.
std::vector<std::string> shortcomings_of_media(Job& job) {
    try {
        const auto media = read_packages(package_list(job));
        if (media.empty())
            return {};
        const auto before = job.state.method == word(Method::packages)
                                ? read_packages(earlier_package_list(job))
                                : std::vector<Package>{};
        return shortcomings(media, before, installed_packages(job.ports.appliance));
    } catch (const SystemFailure& failure) {
        return {failure.what()};
    }
}

/// What the machine cannot answer is no health, and may settle: it is an answer here, not an exception.
Health look(Job& job) {
    auto& ports = job.ports;
    Health health;
    health.version = installed_product(ports.appliance, job.config).version;
    health.product_in_place = ports.appliance.directory_exists(product_directory);
    health.packages = shortcomings_of_media(job);
    for (const auto& unit : job.config.verify.units) {
        try {
            health.units.emplace_back(unit, ports.services.status(unit).active);
        } catch (const SystemFailure& failure) {
            health.units.emplace_back(unit, fmt::format("unknown ({})", failure.what()));
        }
    }
    try {
        const auto status =
            ports.appliance.run({"/bin/bash", job.config.verify.status_command}, job.config.verify.run_as,
                                std::min(job.config.verify.deadline, command_limit));
        health.status_output = status.said();
        health.status_exit = status.status;
        health.status_timed_out = status.timed_out;
    } catch (const SystemFailure& failure) {
        health.status_output = failure.what();
        health.status_exit = -1;
    }
    return health;
}

} // namespace

Next verify(Job& job) {
    auto& appliance = job.ports.appliance;
    const auto deadline = appliance.uptime() + job.config.verify.deadline;
    auto findings = judge_health(look(job), job.state.to_version, job.config.log.file);
    while (may_settle(findings) && appliance.uptime() < deadline &&
           std::any_of(findings.begin(), findings.end(), is_refusal)) {
        job.audit.progress(fmt::format("verify: waiting, {}", findings.front().message));
        appliance.sleep(std::chrono::seconds(2));
        findings = judge_health(look(job), job.state.to_version, job.config.log.file);
    }
    job.findings.insert(job.findings.end(), findings.begin(), findings.end());
    collect(job, [&] { ensure_sshd(job); });
    job.note = fmt::format("version {}, units active, status.sh Running; {}", job.state.to_version, job.note);
    return Next::stage;
}

} // namespace um::stages
