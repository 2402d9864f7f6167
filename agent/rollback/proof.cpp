#include "rollback/proof.hpp"

#include "base/file.hpp"
#include "base/text.hpp"
#include "checks/verification.hpp"
#include "packages/comparison.hpp"
#include "rollback/keep.hpp"
#include "upgrade/snapshot.hpp"

#include <algorithm>

namespace um {
namespace {

constexpr std::size_t list_limit = 64UL * 1024 * 1024;

std::string path_of(Job& job, const char* note) {
    return job.ports.keeper.directory(job.state.id) + "/" + note;
}

/// The first differences, and how many more there are.
std::string list_of(const std::vector<std::string>& found) {
    constexpr std::size_t shown = 3;
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, found.size()); ++i)
        list += (i == 0 ? "" : "; ") + found[i];
    if (found.size() > shown)
        list += fmt::format("; and {} more", found.size() - shown);
    return list;
}

Ending unproved(Job& job, const std::vector<std::string>& found) {
    write_note(job, differences_note, found);
    const Problem problem{
        Reason::rollback_failed,
        fmt::format("the upgrade was rolled back, but the appliance is not what it was: {}", list_of(found)),
        fmt::format("{} has the whole list; fix it by hand, or {}", path_of(job, differences_note),
                    revert_to_snapshot)};
    job.audit.finding(EventKind::stage_failed, job.state, refusal(problem));
    job.audit.event(
        EventKind::rollback_finished, job.state,
        {.message = "not proved", .outcome = Outcome::needs_manual, .reason = Reason::rollback_failed});
    return {Outcome::needs_manual, detail_of(problem), ExitCode::needs_manual};
}

/// A person must know where data written since the upgrade are now.
std::string text_about_data(Job& job) {
    std::string text;
    for (const auto& directory : job.ports.keeper.set_aside(job.state.id))
        text += (text.empty() ? "data written since then is in " : " and ") + directory;
    return text;
}

std::vector<std::string> look_at_health(Job& job) {
    std::vector<std::string> found;
    const auto verdict = verify_appliance(job);
    for (const auto& finding : verdict.findings)
        if (is_refusal(finding))
            found.push_back(finding.message);
        else
            job.audit.finding(EventKind::warning, job.state, finding);
    job.note = verdict.summary;
    return found;
}

/// Besides what is left out, these are paths that every boot creates again or writes to.
std::vector<std::string> not_compared(const Job& job) {
    auto paths = left_out(job);
    for (const auto* path : {"/run/", "/var/run/", "/var/log/", "/tmp/", "/dev/", "/proc/", "/sys/"})
        paths.emplace_back(path);
    return paths;
}

} // namespace

void write_note(Job& job, const char* name, const std::vector<std::string>& lines) {
    replace_file(path_of(job, name), to_lines(lines));
}

std::vector<std::string> read_note(Job& job, const char* name) {
    return lines_of(read_file_if_there(path_of(job, name), list_limit).value_or(""));
}

namespace {

void begin_proof(Job& job) {
    auto& appliance = job.ports.appliance;
    if (job.state.tries > 0)
        job.audit.event(EventKind::upgrade_resumed, job.state,
                        {.message = fmt::format("upgrade {}: the proof of the rollback continues after an "
                                                "interruption",
                                                job.state.id),
                         .stage = Stage::verify});
    ++job.state.tries;
    job.state.stage = Stage::verify;
    job.state.boot_id = appliance.boot_id();
    job.store.save(job.state);
    job.audit.event(EventKind::stage_started, job.state, {.message = "verify …", .stage = Stage::verify});
    appliance.flush_journal();
}

/// Everything that is not as it was before the upgrade, one sentence each.
std::vector<std::string> find_differences(Job& job) {
    auto& appliance = job.ports.appliance;
    auto found = read_note(job, files_note);
    try {
        const auto compare = [&] {
            return compare_with_picture(appliance, job.ports.keeper.directory(job.state.id),
                                        not_compared(job));
        };
        // rpm can compare while the services still have to show that they stay up. If it finds differences or
        // fails, it compares again at the end. By then the files that services create at their start exist,
        // and nothing of the boot holds rpm's lock.
        bool is_alike = false;
        try {
            is_alike = compare().empty();
        } catch (const SystemFailure& failure) {
            job.audit.output(job.state, fmt::format("{}, ignoring: asked again at the end", failure.what()));
        }
        const auto unhealthy = look_at_health(job);
        found.insert(found.end(), unhealthy.begin(), unhealthy.end());
        const auto more = is_alike ? std::vector<std::string>() : compare();
        found.insert(found.end(), more.begin(), more.end());
    } catch (const SystemFailure& failure) {
        found.emplace_back(failure.what());
    }
    return found;
}

} // namespace

Ending prove_rollback(Job& job) {
    auto& appliance = job.ports.appliance;
    if (job.state.tries >= rollback_limit)
        return unproved(job, {fmt::format("its verification was interrupted {} times", job.state.tries)});
    begin_proof(job);
    const auto begin = appliance.uptime();
    if (const auto found = find_differences(job); !found.empty())
        return unproved(job, found);
    const auto took = appliance.uptime() - begin;
    job.audit.event(EventKind::stage_finished, job.state,
                    {.message = fmt::format("{}; files, packages and units are what they were", job.note),
                     .stage = Stage::verify,
                     .duration = took});
    const auto data = text_about_data(job);
    job.audit.event(EventKind::rollback_finished, job.state,
                    {.message = fmt::format("the rollback to version {} is proved{}", job.state.from_version,
                                            data.empty() ? "" : "; " + data),
                     .outcome = Outcome::rolled_back});
    return {
        Outcome::rolled_back,
        {.message = fmt::format("rolled back: everything that is kept is as before the upgrade, because {}{}",
                                job.state.rollback_why, data.empty() ? "" : "; " + data),
         .hint = job.state.reason
                     ? "find out why from 'journalctl -t um-upgrade', then 'um-upgrade run' at a terminal"
                     : "these media are not installed again by themselves: 'um-upgrade run' at a terminal "
                       "does",
         .reason = job.state.reason},
        ExitCode::done};
}

} // namespace um
