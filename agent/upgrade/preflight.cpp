#include "upgrade/preflight.hpp"

#include "upgrade/version.hpp"

#include <map>

namespace um {
namespace {

Finding refusal(Reason reason, std::string message, std::string hint) {
    return {Finding::Severity::refusal, reason, std::move(message), std::move(hint)};
}

void judge_version(std::vector<Finding>& findings, const Facts& appliance, const MediaFacts& media,
                   const Config& config) {
    if (!appliance.installed_version) {
        findings.push_back(
            refusal(Reason::product_absent,
                    fmt::format("the product's version cannot be told: {}", appliance.version_output),
                    "run this on the appliance, or correct [product] version_command"));
        return;
    }
    const auto& installed = *appliance.installed_version;
    if (compare_versions(media.version, installed) <= 0)
        findings.push_back(
            refusal(Reason::version_not_newer,
                    fmt::format("the media hold {}, but {} is installed", media.version, installed),
                    "provide media of a newer version"));
    if (compare_versions(installed, config.product.minimum_source) < 0)
        findings.push_back(refusal(Reason::version_source_too_old,
                                   fmt::format("{} is installed; an in-place upgrade begins at {} or later",
                                               installed, config.product.minimum_source),
                                   fmt::format("upgrade to {} first", config.product.minimum_source)));
}

void judge_snapshot(std::vector<Finding>& findings, const Facts& appliance, const Config& config) {
    if (config.snapshot.confirmation == Confirmation::assume)
        return;
    const std::string hint =
        "take a snapshot of the appliance's virtual machine in vCenter, then run 'um-upgrade "
        "confirm-snapshot --name TEXT'";
    const auto& snapshot = appliance.snapshot;
    if (!snapshot)
        findings.push_back(
            refusal(Reason::snapshot_unconfirmed, "nobody has confirmed that a snapshot exists", hint));
    else if (appliance.installed_version && snapshot->version != *appliance.installed_version)
        findings.push_back(
            refusal(Reason::snapshot_unconfirmed,
                    fmt::format("snapshot '{}' was confirmed for version {}, but {} is installed",
                                snapshot->name, snapshot->version, *appliance.installed_version),
                    hint));
    else if (snapshot->valid_until <= appliance.now || snapshot->confirmed > appliance.now)
        findings.push_back(
            refusal(Reason::snapshot_expired,
                    fmt::format("the confirmation of snapshot '{}' was valid from {} until {}; the "
                                "machine's clock says {}",
                                snapshot->name, iso8601(snapshot->confirmed), iso8601(snapshot->valid_until),
                                iso8601(appliance.now)),
                    hint));
}

/// New files stand beside the old ones until the transaction ends, so `/` takes the media's packages unpacked
/// (at most twice their size on the media); `/var` takes the package manager's cache and database, `/boot`
/// one more kernel and initramfs.
std::uint64_t needed(const std::string& path, const MediaFacts& media) {
    constexpr std::uint64_t mebibyte = 1024UL * 1024;
    if (path == "/")
        return 2 * media.size + 64 * mebibyte;
    return path == "/boot" ? 96 * mebibyte : 64 * mebibyte;
}

void judge_space(std::vector<Finding>& findings, const Facts& appliance, const MediaFacts& media) {
    struct Need {
        std::string paths;
        std::uint64_t bytes = 0;
        std::uint64_t available = 0;
    };
    std::map<std::uint64_t, Need> needs; // directories on one file system share its space
    for (const auto& space : appliance.space) {
        auto& need = needs[space.device];
        need.paths += (need.paths.empty() ? "" : ", ") + space.path;
        need.bytes += needed(space.path, media);
        need.available = space.available;
    }
    for (const auto& [device, need] : needs)
        if (need.available < need.bytes)
            findings.push_back(refusal(Reason::space_insufficient,
                                       fmt::format("{}: {} are free, the upgrade needs {}", need.paths,
                                                   human_size(need.available), human_size(need.bytes)),
                                       "delete what is not needed there, or give the disk more space"));
}

void judge_database(std::vector<Finding>& findings, const DatabaseFacts& database) {
    if (database.writer)
        findings.push_back(refusal(Reason::packages_locked,
                                   fmt::format("{} is changing packages just now", *database.writer),
                                   "wait for its end, and start again"));
    if (!database.damage.empty())
        findings.push_back(
            refusal(Reason::packages_damaged, fmt::format("the rpm database is damaged: {}", database.damage),
                    "mend it before the upgrade: 'rpm --rebuilddb', then look with 'rpm --verifydb'"));
}

} // namespace

std::vector<Finding> preflight(const Facts& appliance, const MediaFacts& media, const Config& config) {
    std::vector<Finding> findings;
    judge_version(findings, appliance, media, config);
    judge_snapshot(findings, appliance, config);
    judge_space(findings, appliance, media);
    judge_database(findings, appliance.database);
    if (!appliance.objection.empty())
        findings.push_back(refusal(Reason::packages_unsolvable,
                                   fmt::format("the packages cannot be upgraded: {}", appliance.objection),
                                   "mend what the package manager names, and start again"));
    return findings;
}

std::string human_size(std::uint64_t bytes) {
    constexpr double mebibyte = 1024.0 * 1024.0;
    const auto size = static_cast<double>(bytes) / mebibyte;
    return size < 1024 ? fmt::format("{:.1f} MiB", size) : fmt::format("{:.1f} GiB", size / 1024);
}

} // namespace um
