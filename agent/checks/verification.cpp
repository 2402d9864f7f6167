#include "checks/verification.hpp"

#include "checks/admin_checks.hpp"
#include "checks/host_name.hpp"
#include "checks/product.hpp"
#include "checks/product_logs.hpp"
#include "checks/status_report.hpp"
#include "checks/unit_health.hpp"
#include "packages/packages.hpp"

#include <algorithm>

namespace um {
namespace {

constexpr std::chrono::seconds interval{2};

using Findings = std::vector<Finding>;

/// What one look found.
struct Observation {
    Findings findings;
    bool may_change = false; ///< waiting may still help
};

/// Looks again until there are no findings, waiting cannot help, or the time is over.
template <class Once>
Findings settle(Job& job, std::chrono::microseconds deadline, Once look) {
    auto& appliance = job.ports.appliance;
    for (;;) {
        auto [findings, may_change] = look();
        if (findings.empty() || !may_change || appliance.uptime() >= deadline)
            return std::move(findings);
        job.audit.progress(fmt::format("verify: waiting, {}", findings.front().message));
        appliance.sleep(interval);
    }
}

/// What the media brought and is not installed. The change was judged by the same list.
std::vector<std::string> shortcomings_of_media(Job& job) {
    const auto media = read_packages(package_list(job));
    if (media.empty() || job.state.rollback == RollbackStep::taken)
        return {};
    const auto before =
        job.state.method == "packages" ? read_packages(staying_package_list(job)) : std::vector<Package>{};
    return shortcomings(media, before, installed_packages(job.ports.appliance));
}

/// A question that fails may succeed later, because rpm waits for locks that other processes hold during a
/// boot.
Observation look_at_installed(Job& job) {
    auto& appliance = job.ports.appliance;
    InstalledTruth truth;
    bool answered = true;
    truth.version = installed_product(appliance, job.config).version;
    truth.product_in_place = appliance.directory_exists(product_directory);
    try {
        truth.packages = shortcomings_of_media(job);
    } catch (const SystemFailure& failure) {
        truth.packages = {failure.what()};
        answered = false;
    }
    return {judge_installed(truth, job.state.expected_version(), job.config.log.file),
            !answered || !truth.version};
}

Findings look_at_host(Job& job, std::chrono::microseconds deadline) {
    // The web server may be among the last to come up. If a mismatch only warns, it is not worth a long wait.
    const auto patience = std::chrono::minutes(1);
    const auto end = job.config.hostname.mismatch == Mismatch::refuse
                         ? deadline
                         : std::min(deadline, job.ports.appliance.uptime() + patience);
    return settle(job, end, [&] {
        const auto facts = look_at_host_name(job.ports, job.config);
        return Observation{judge_host_name(facts, job.config.hostname, job.state.expected_version()),
                           !facts.certificate};
    });
}

/// If the policy accepts a wrong host name, it also accepts the error that follows from it.
Findings look_for_journal_error(Job& job) {
    std::optional<std::string> found;
    try {
        found = find_journal_error(job.ports, job.config, log_marks(job));
    } catch (const SystemFailure& failure) {
        return {warning({Reason::verify_journal_error,
                         fmt::format("cannot search the logs for '{}': {}", journal_error, failure.what()),
                         "look into the product's logs"})};
    }
    if (!found)
        return {};
    const Problem problem{
        Reason::verify_journal_error, fmt::format("'{}' appears in {}", journal_error, *found),
        "change the host name, then generate a new self-signed certificate or import one signed by your "
        "certification authority: its CN must be the host name"};
    return {job.config.hostname.mismatch == Mismatch::refuse ? refusal(problem) : warning(problem)};
}

void append(Findings& findings, Findings more) {
    std::move(more.begin(), more.end(), std::back_inserter(findings));
}

} // namespace

Verdict verify_appliance(Job& job) {
    auto& ports = job.ports;
    const auto& config = job.config.verify;
    const auto unhealthy = unhealthy_from(job.state.unhealthy);
    const auto deadline = ports.appliance.uptime() + std::max(config.deadline, steady_time);
    const auto refuses = [](const Findings& findings) {
        return std::any_of(findings.begin(), findings.end(), is_refusal);
    };
    const auto units = [&] {
        auto findings = judge_units(look_at_units(ports, config.units), unhealthy);
        const bool failed = refuses(findings);
        return Observation{std::move(findings), failed};
    };
    StatusReport report;
    const auto status = [&] {
        report = look_at_status(ports, job.config, std::min(config.deadline, status_limit));
        auto findings =
            judge_status(report, job.config.log.file, product_logs(ports.appliance, job.config), unhealthy);
        const bool failed = refuses(findings);
        return Observation{std::move(findings), failed};
    };
    Verdict verdict;
    verdict.findings = settle(job, deadline, [&] { return look_at_installed(job); });
    auto of_units = settle(job, deadline, units);
    Findings others = settle(job, deadline, status);
    append(others, look_at_host(job, deadline));
    append(others, run_admin_checks(ports.appliance, Occasion::after, job.state.expected_version()));
    append(others, look_for_journal_error(job));
    if (!refuses(of_units)) // they may have failed meanwhile, or a check restarted them
        of_units = settle(job, std::max(deadline, ports.appliance.uptime() + 2 * steady_time), units);
    append(verdict.findings, std::move(of_units));
    append(verdict.findings, std::move(others));
    verdict.summary = fmt::format("version {}; {}", job.state.expected_version(), summary_of(report));
    return verdict;
}

} // namespace um
