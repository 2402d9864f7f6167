#include "checks/preflight.hpp"

#include "base/text.hpp"
#include "base/time.hpp"
#include "base/version.hpp"

namespace um {
namespace {

void judge_version(std::vector<Finding>& findings, const Facts& facts, const std::string& to_version,
                   const Config& config) {
    if (!facts.installed_version) {
        findings.push_back(
            refusal({Reason::product_absent,
                     fmt::format("the product's version cannot be determined: {}", facts.version_output),
                     "run this on the appliance, or correct [product] version_command"}));
        return;
    }
    const auto& installed = *facts.installed_version;
    if (compare_versions(to_version, installed) <= 0)
        findings.push_back(
            refusal({Reason::version_not_newer,
                     fmt::format("the media hold {}, but {} is installed", to_version, installed),
                     "provide media of a newer version"}));
    if (compare_versions(installed, config.product.minimum_source) < 0)
        findings.push_back(refusal({Reason::version_source_too_old,
                                    fmt::format("{} is installed; an in-place upgrade begins at {} or later",
                                                installed, config.product.minimum_source),
                                    fmt::format("upgrade to {} first", config.product.minimum_source)}));
}

void judge_snapshot(std::vector<Finding>& findings, const Facts& facts, const Config& config) {
    if (config.snapshot.confirmation == Confirmation::assume)
        return;
    const std::string hint =
        "take a snapshot of the appliance's virtual machine in vCenter, then run 'um-upgrade "
        "confirm-snapshot --name TEXT'";
    const auto& snapshot = facts.snapshot;
    if (!snapshot)
        findings.push_back(
            refusal({Reason::snapshot_unconfirmed, "nobody has confirmed that a snapshot exists", hint}));
    else if (facts.installed_version && snapshot->version != *facts.installed_version)
        findings.push_back(
            refusal({Reason::snapshot_unconfirmed,
                     fmt::format("snapshot '{}' was confirmed for version {}, but {} is installed",
                                 snapshot->name, snapshot->version, *facts.installed_version),
                     hint}));
    else if (snapshot->valid_until <= facts.now || snapshot->confirmed > facts.now)
        findings.push_back(
            refusal({Reason::snapshot_expired,
                     fmt::format("the confirmation of snapshot '{}' was valid from {} until {}; the "
                                 "machine's clock says {}",
                                 snapshot->name, iso8601(snapshot->confirmed), iso8601(snapshot->valid_until),
                                 iso8601(facts.now)),
                     hint}));
}

void judge_space(std::vector<Finding>& findings, const std::vector<Volume>& volumes) {
    constexpr auto do_without =
        "delete what is not needed there, protect less ([rollback] protect), or do without "
        "a rollback: [rollback] mode = off";
    constexpr auto hint = "delete what is not needed there, or give the disk more space";
    for (const auto& volume : volumes) {
        if (volume.available < volume.needed)
            findings.push_back(
                refusal({Reason::space_insufficient,
                         fmt::format("{}: {} are free, the upgrade needs {}", volume.mount_point,
                                     human_size(volume.available), human_size(volume.needed)),
                         hint}));
        else if (volume.available < volume.needed + volume.kept)
            findings.push_back(refusal(
                {Reason::rollback_space,
                 fmt::format("{}: {} are free, the upgrade and its kept files need {}", volume.mount_point,
                             human_size(volume.available), human_size(volume.needed + volume.kept)),
                 do_without}));
        if (volume.available_files < volume.needed_files)
            findings.push_back(
                refusal({Reason::space_insufficient,
                         fmt::format("{}: room for {} more files (inodes), the upgrade needs {}",
                                     volume.mount_point, volume.available_files, volume.needed_files),
                         "delete files that are not needed there"}));
        else if (volume.available_files - volume.needed_files < volume.kept_files)
            findings.push_back(refusal(
                {Reason::rollback_space,
                 fmt::format("{}: room for {} more files (inodes), the upgrade and its kept files need {}",
                             volume.mount_point, volume.available_files,
                             volume.needed_files + volume.kept_files),
                 do_without}));
    }
}

/// Certificates, confirmations and the audit rely on the clock.
void judge_clock(std::vector<Finding>& findings, const Facts& facts) {
    using namespace std::chrono;
    constexpr auto released = sys_days{2026y / January / 1}; // this program was made later
    constexpr auto lifetime = years{25};
    constexpr auto tolerance = hours{24};
    const auto implausible = [&](const std::string& why, const std::string& or_else = {}) {
        findings.push_back(
            refusal({Reason::clock_implausible, fmt::format("the clock says {}: {}", iso8601(facts.now), why),
                     "set the clock, or fix its synchronization ('timedatectl status')" + or_else}));
    };
    const auto& last = facts.database.newest;
    if (facts.now < released)
        implausible("that is before this program was made");
    else if (facts.now > released + lifetime)
        implausible(fmt::format("that is more than {} years after this program was made", lifetime.count()));
    else if (last && last->time > facts.now + tolerance)
        implausible(
            fmt::format("the package {} was installed later than that, at {}", last->package,
                        iso8601(last->time)),
            fmt::format("; if the clock is right now but was wrong then, reinstall {}", last->package));
}

void judge_services(std::vector<Finding>& findings, const Facts& facts) {
    const auto warn = [&](const std::string& message, const char* hint) {
        findings.push_back(warning({Reason::services_unhealthy, message, hint}));
    };
    for (const auto& name : facts.unhealthy)
        warn(fmt::format("{} is unhealthy before the upgrade", name),
             "fix it first; otherwise it does not count against the upgrade afterwards");
    for (const auto& name : facts.with_errors)
        warn(fmt::format("{} is Running with errors before the upgrade", name),
             "look at its newest log file, and fix it first");
}

void judge_reboot(std::vector<Finding>& findings, const std::string& pending) {
    if (!pending.empty())
        findings.push_back(refusal({Reason::reboot_pending, fmt::format("a reboot is pending: {}", pending),
                                    "reboot, or cancel it with 'shutdown -c', and start again"}));
}

void append(std::vector<Finding>& findings, const std::vector<Finding>& more) {
    findings.insert(findings.end(), more.begin(), more.end());
}

void judge_database(std::vector<Finding>& findings, const DatabaseFacts& database) {
    if (database.writer)
        findings.push_back(refusal({Reason::packages_locked,
                                    fmt::format("{} is changing packages right now", *database.writer),
                                    "wait for its end, and start again"}));
    if (!database.damage.empty())
        findings.push_back(refusal(
            {Reason::packages_damaged, fmt::format("the rpm database is damaged: {}", database.damage),
             "fix it before the upgrade: 'rpm --rebuilddb', then check with 'rpm --verifydb'"}));
    for (const auto& duplicate : database.duplicates)
        findings.push_back(refusal({Reason::packages_damaged, duplicate,
                                    "an earlier transaction was interrupted: erase the older one ('rpm -e "
                                    "--justdb --noscripts NAME-VERSION-RELEASE'), and start again"}));
}

} // namespace

std::vector<Finding> judge_preflight(const Facts& facts, const std::string& to_version,
                                     const Config& config) {
    std::vector<Finding> findings;
    judge_clock(findings, facts);
    judge_version(findings, facts, to_version, config);
    judge_snapshot(findings, facts, config);
    if (facts.host_name)
        append(findings, judge_host_name(*facts.host_name, config.hostname, to_version));
    judge_reboot(findings, facts.pending_reboot);
    judge_space(findings, facts.volumes);
    if (facts.rollback_cost)
        for (const auto& why : facts.rollback_cost->cost.unkept)
            findings.push_back(
                warning({Reason::rollback_unavailable, why, "a rollback does not put it back"}));
    judge_database(findings, facts.database);
    if (!facts.objection.empty())
        findings.push_back(refusal({Reason::packages_unsolvable,
                                    fmt::format("the packages cannot be upgraded: {}", facts.objection),
                                    "fix what the package manager names, and start again"}));
    if (facts.sshd)
        append(findings, judge_sshd(*facts.sshd, config.sshd));
    judge_services(findings, facts);
    return findings;
}

} // namespace um
