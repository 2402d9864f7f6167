#include "checks/survey.hpp"

#include "checks/admin_checks.hpp"
#include "checks/product.hpp"
#include "checks/status_report.hpp"
#include "checks/unit_health.hpp"
#include "packages/package_manager.hpp"
#include "packages/transaction.hpp"

namespace um {
namespace {

constexpr std::uint64_t mebibyte = 1024UL * 1024;
constexpr std::uint64_t housekeeping = 64 * mebibyte; // bytes for rpm's database, logs, and the journal
constexpr std::chrono::minutes boot_time{10}; // a product of many services may need this long to come up
constexpr std::chrono::seconds interval{2};
constexpr std::chrono::hours any_time{24 * 365};

std::string pending_reboot(Ports& ports) {
    const auto due = ports.services.shutdown_due(any_time);
    if (due == "shutdown")
        return "the appliance is shutting down";
    if (!due.empty())
        return fmt::format("a {} is scheduled", due);
    if (ports.appliance.file_size("/run/reboot-required"))
        return "/run/reboot-required is there";
    const auto release = ports.appliance.kernel_release();
    if (!ports.appliance.directory_exists("/lib/modules/" + release))
        return fmt::format("the kernel that runs, {}, has been replaced", release);
    return {};
}

/// What the media's script does is not known beforehand. It unpacks what it brings, and the packages beside
/// it.
void add_needs_of_script(Job& job, Volumes& volumes) {
    volumes.add("/", job.media->iso.size);
}

/// Asks whether the package manager can make the change, and what the change needs. If the media's script
/// makes the change, only the script knows the former.
void look_at_packages(Job& job, Facts& facts, Volumes& volumes) {
    const auto& content = content_of(job);
    const auto method = method_for(content, job.config);
    if (content.repository.empty())
        return add_needs_of_script(job, volumes);
    job.audit.progress("preflight: reading the media's packages");
    const auto packages = transaction(job.ports.appliance, offered_by(job), facts.database.installed);
    add_needs(job.ports, packages, volumes);
    facts.packages = packages.size();
    std::string manager; // empty for a script; most scripts copy the packages before they install them
    if (method == Method::packages) {
        job.audit.progress("preflight: testing the transaction");
        const PackageManager tested(job.ports, job.store.directory() + "/work", content.repository);
        facts.objection = tested.objection();
        manager = tested.name();
    }
    if (manager.empty() || manager == "tdnf")
        volumes.add(manager.empty() ? "/var/cache" : job.store.directory(),
                    size_of(job.ports.appliance, packages));
}

/// At boot, an unattended upgrade begins while the product is still coming up. A service that is only late
/// then is not unhealthy.
void look_at_services(Job& job, Facts& facts) {
    auto& ports = job.ports;
    for (;;) {
        const auto units = look_at_units(ports, job.config.verify.units);
        const auto report = look_at_status(ports, job.config, status_limit);
        facts.host_name = look_at_host_name(ports, job.config);
        facts.unhealthy = unhealthy_before(units, report);
        facts.with_errors = with_errors(report);
        const bool complete = facts.host_name->certificate && !is_coming_up(units, report);
        job.product_units = units_of_product(job.config.verify.units, report);
        if (complete || !job.patient || ports.appliance.uptime() >= boot_time)
            return;
        job.audit.progress("preflight: waiting for the product to come up after the boot");
        ports.appliance.sleep(interval);
    }
}

} // namespace

Facts survey(Job& job, Volumes& volumes) {
    auto& ports = job.ports;
    auto& appliance = ports.appliance;
    Facts facts;
    const auto product = installed_product(appliance, job.config);
    facts.installed_version = product.version;
    facts.version_output = product.said;
    facts.now = appliance.now();
    facts.database = look_at_database(appliance);
    facts.pending_reboot = pending_reboot(ports);
    if (job.config.sshd.manage)
        facts.sshd = look_at_sshd(ports.services, job.config.sshd);
    look_at_services(job, facts);
    volumes.add("/", housekeeping);
    volumes.add("/var", housekeeping);
    if (job.mounted && facts.database.can_be_read())
        collect(job, [&] { look_at_packages(job, facts, volumes); });
    const auto checks = run_admin_checks(appliance, Occasion::before, product.version.value_or("none"));
    job.findings.insert(job.findings.end(), checks.begin(), checks.end());
    return facts;
}

} // namespace um
