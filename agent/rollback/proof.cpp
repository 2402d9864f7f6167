#include "rollback/proof.hpp"

#include "base/file.hpp"
#include "packages/comparison.hpp"
#include "procedure/procedure.hpp"
#include "checks/verification.hpp"
#include "rollback/keep.hpp"

#include <algorithm>
#include <sstream>

namespace um {
namespace {

constexpr std::size_t list_limit = 64UL * 1024 * 1024;

std::string path_of(Job& job, const char* note) {
    return job.ports.keeper.directory(job.state.id) + "/" + note;
}

ExitCode close_unproved(Job& job, const std::vector<std::string>& found) {
    constexpr std::size_t shown = 3;
    write_note(job, differences_note, found);
    std::string list;
    for (std::size_t i = 0; i < std::min(shown, found.size()); ++i)
        list += (i == 0 ? "" : "; ") + found[i];
    if (found.size() > shown)
        list += fmt::format("; and {} more", found.size() - shown);
    const Finding finding{
        Finding::Severity::refusal, Reason::rollback_failed,
        fmt::format("the upgrade was taken back, but the appliance is not what it was: {}", list),
        fmt::format("the whole list is in {}; mend it by hand, or the snapshot is the way back",
                    path_of(job, differences_note))};
    job.audit.finding(EventKind::stage_failed, job.state, finding);
    job.audit.event(
        EventKind::rollback_finished, job.state,
        {.message = "not proved", .outcome = Outcome::needs_manual, .reason = Reason::rollback_failed});
    return close(job, Outcome::needs_manual,
                 {.message = finding.message, .hint = finding.hint, .reason = finding.reason},
                 ExitCode::needs_manual);
}

/// A person reads what was new and where it is now.
std::string told_of_data(Job& job) {
    std::string told;
    for (const auto& directory : job.ports.keeper.set_aside(job.state.id))
        told += (told.empty() ? "what was written since is in " : " and ") + directory;
    return told;
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

/// Beside what is left out, what every boot makes anew or writes on.
std::vector<std::string> not_compared(const Job& job) {
    auto paths = left_out(job);
    for (const auto* path : {"/run/", "/var/run/", "/var/log/", "/tmp/", "/dev/", "/proc/", "/sys/"})
        paths.emplace_back(path);
    return paths;
}

} // namespace

void write_note(Job& job, const char* name, const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines)
        text += line + "\n";
    replace_file(path_of(job, name), text);
}

std::vector<std::string> read_note(Job& job, const char* name) {
    std::vector<std::string> lines;
    std::istringstream stream(read_file_if_there(path_of(job, name), list_limit).value_or(""));
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

ExitCode prove_return(Job& job) {
    auto& appliance = job.ports.appliance;
    if (job.state.tries >= return_limit)
        return close_unproved(job,
                              {fmt::format("its verification was interrupted {} times", job.state.tries)});
    if (job.state.tries > 0)
        job.audit.event(
            EventKind::upgrade_resumed, job.state,
            {.message = fmt::format("upgrade {} goes on after an interruption of its proof", job.state.id),
             .stage = Stage::verify});
    ++job.state.tries;
    job.state.stage = Stage::verify;
    job.state.boot_id = appliance.boot_id();
    job.store.save(job.state);
    job.audit.event(EventKind::stage_started, job.state, {.message = "verify …", .stage = Stage::verify});
    appliance.flush_journal();
    const auto begin = appliance.uptime();
    auto found = read_note(job, files_note);
    try {
        const auto compare = [&] {
            return compare_with_picture(appliance, job.ports.keeper.directory(job.state.id),
                                        not_compared(job));
        };
        // rpm works while the services show that they stay up. What they make when they start is there at
        // the end, and who holds rpm's lock in a boot is gone.
        bool is_alike = false;
        try {
            is_alike = compare().empty();
        } catch (const SystemFailure& failure) {
            job.audit.output(job.state, fmt::format("{}, ignoring: asked again at the end", failure.what()));
        }
        const auto unwell = look_at_health(job);
        found.insert(found.end(), unwell.begin(), unwell.end());
        const auto more = is_alike ? std::vector<std::string>() : compare();
        found.insert(found.end(), more.begin(), more.end());
    } catch (const SystemFailure& failure) {
        found.emplace_back(failure.what());
    }
    if (!found.empty())
        return close_unproved(job, found);
    const auto took = appliance.uptime() - begin;
    job.audit.event(EventKind::stage_finished, job.state,
                    {.message = fmt::format("{}; files, packages and units are what they were", job.note),
                     .stage = Stage::verify,
                     .duration = took});
    const auto data = told_of_data(job);
    job.audit.event(EventKind::rollback_finished, job.state,
                    {.message = fmt::format("version {} is proved to be back{}", job.state.from_version,
                                            data.empty() ? "" : "; " + data),
                     .outcome = Outcome::rolled_back});
    return close(
        job, Outcome::rolled_back,
        {.message = fmt::format("taken back: everything is as before the upgrade, because {}{}",
                                job.state.rollback_why, data.empty() ? "" : "; " + data),
         .hint =
             job.state.reason
                 ? "find out why from 'journalctl -t um-upgrade', then 'um-upgrade run' at a terminal"
                 : "these media are not installed again by themselves: 'um-upgrade run' at a terminal does",
         .reason = job.state.reason},
        ExitCode::done);
}

} // namespace um
