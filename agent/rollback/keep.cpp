#include "rollback/keep.hpp"

#include "base/path.hpp"
#include "base/text.hpp"
#include "checks/product_logs.hpp"
#include "packages/comparison.hpp"
#include "packages/database.hpp"
#include "rollback/paused_units.hpp"
#include "upgrade/units.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace um {
namespace {

constexpr auto file_format =
    "[%{LONGFILESIZES}|%{FILEMTIMES}|%{FILEFLAGS}|%{FILEDIGESTS}|%{=FILEDIGESTALGO}|%{FILENAMES}\n]";
constexpr unsigned rewritten_flags = 1 | 64; // RPMFILE_CONFIG, RPMFILE_GHOST
constexpr auto sha256_algorithm = "8";       // RFC 4880, 9.4
constexpr std::size_t sha256_digits = 64;
constexpr double copied_in_a_second = 50.0 * 1024 * 1024; // bytes, on a modest disk

std::vector<std::string> split(const std::string& line, std::size_t most) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (parts.size() + 1 < most) {
        const auto end = line.find('|', begin);
        if (end == std::string::npos)
            break;
        parts.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.push_back(line.substr(begin));
    return parts;
}

template <class Number>
Number number(const std::string& text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value); // if no number: 0, which no file has
    return value;
}

std::vector<PackagedFile> parse_files(const std::string& text) {
    std::vector<PackagedFile> files;
    for (const auto& line : lines_of(text)) {
        const auto parts = split(line, 6);
        if (parts.size() != 6 || parts[5].empty() || parts[5].front() != '/')
            continue; // a package without files
        PackagedFile file{
            parts[5], number<std::uint64_t>(parts[0]), number<std::int64_t>(parts[1]), {}, false};
        file.rewritten = (number<unsigned>(parts[2]) & rewritten_flags) != 0;
        if (parts[4] == sha256_algorithm && parts[3].size() == sha256_digits)
            file.sha256 = parts[3];
        files.push_back(std::move(file));
    }
    return files;
}

/// Takes every package's files, not only those of packages that the media would replace. What a script
/// installs and what a scriptlet does is known only afterwards.
KeepScope scope_of(Job& job) {
    auto& ports = job.ports;
    KeepScope scope;
    scope.packaged = parse_files(query_installed(ports.appliance, file_format));
    scope.trees = job.config.rollback.protect;
    scope.trees.emplace_back("/etc/systemd/system"); // shows which units are enabled
    scope.copied = ports.media.matches("/lib/modules/*/modules.*");
    scope.copied.emplace_back("/etc/ld.so.cache");
    scope.databases = {database_directory(ports.appliance)};
    scope.data = job.config.rollback.data;
    scope.excluded = left_out(job);
    scope.logs = {"/var/log"};
    for (const auto& package : offered_by(job))
        for (const auto& file : package.files)
            scope.incoming.push_back(file.path);
    return scope;
}

void warn(Job& job, const std::string& message, const std::string& hint) {
    job.findings.push_back(warning({Reason::rollback_unavailable, message, hint}));
}

/// A log that grew while it was copied is still whole, so it needs no warning.
void warn_of_torn(Job& job, std::vector<std::string> torn) {
    std::set<std::string> logs;
    for (const auto& log : product_logs(job.ports.appliance, job.config))
        logs.insert(log.path);
    std::erase_if(torn, [&](const std::string& path) { return logs.contains(path); });
    if (!torn.empty())
        warn(job,
             fmt::format("{} was written to while it was copied{}", torn.front(),
                         torn.size() > 1 ? fmt::format(", and {} more", torn.size() - 1) : ""),
             "name it in [rollback] data, so that the product is stopped while it is copied");
}

Failure unavailable(const SystemFailure& why) {
    return {Reason::rollback_unavailable, fmt::format("the old system cannot be kept: {}", why.what()),
            "fix it, or do without a rollback: [rollback] mode = off"};
}

} // namespace

std::vector<std::string> left_out(const Job& job) {
    const auto directory = directory_of(job.config.log.file);
    const auto name = base_name(directory.substr(0, directory.size() - 1));
    const bool logs = name == "log" || name == "logs";
    return {job.store.directory(), job.config.media.mount_point,
            logs ? directory.substr(0, directory.size() - 1) : job.config.log.file};
}

std::optional<RollbackCost> rollback_cost(Job& job) {
    if (job.config.rollback.mode == RollbackMode::off)
        return std::nullopt;
    job.audit.progress("preflight: estimating what keeping the old system takes");
    auto& appliance = job.ports.appliance;
    const auto begin = appliance.uptime();
    RollbackCost cost;
    try {
        job.keep_scope = scope_of(job);
        cost.cost = job.ports.keeper.cost(*job.keep_scope);
    } catch (const SystemFailure& failure) {
        throw unavailable(failure);
    }
    const auto looked = std::chrono::duration<double>(appliance.uptime() - begin).count();
    for (const auto* roots : {&job.keep_scope->trees, &job.keep_scope->databases, &job.keep_scope->data})
        cost.trees.insert(cost.trees.end(), roots->begin(), roots->end());
    cost.seconds = 2 * looked + static_cast<double>(cost.cost.bytes) / copied_in_a_second;
    return cost;
}

void keep_old_system(Job& job) {
    auto& keeper = job.ports.keeper;
    for (const auto& id : keeper.all()) // nobody rolls back past this upgrade
        keeper.discard(id, Keeper::Added::go);
    if (job.config.rollback.mode == RollbackMode::off)
        return;
    auto& appliance = job.ports.appliance;
    job.audit.progress("prepare: keeping the old system");
    const auto begin = appliance.uptime();
    KeepCost kept;
    try {
        ensure_rollback_unit(job, Reason::rollback_unavailable);
        PausedUnits paused(job);
        if (!job.keep_scope)
            job.keep_scope = scope_of(job);
        kept = keeper.keep(job.state.id, *job.keep_scope, [&](const auto& work) { paused.around(work); });
        take_picture(appliance, keeper.directory(job.state.id));
    } catch (const SystemFailure& failure) {
        keeper.discard(job.state.id, Keeper::Added::go);
        throw unavailable(failure);
    } catch (const Failure&) {
        keeper.discard(job.state.id, Keeper::Added::go);
        throw;
    }
    job.state.has_kept_files = true;
    for (const auto& why : kept.unkept)
        warn(job, why, "a rollback does not put it back");
    warn_of_torn(job, kept.torn);
    const auto took = std::chrono::duration<double>(appliance.uptime() - begin).count();
    job.state.kept_summary =
        fmt::format("{} links, {} copies, {}", kept.links, kept.copies, human_size(kept.bytes));
    add_note(job, fmt::format("old system kept: {}, {:.1f} s", job.state.kept_summary, took));
}

} // namespace um
