#include "procedure/procedure.hpp"

#include "base/termination.hpp"
#include "procedure/announce.hpp"
#include "procedure/apply.hpp"
#include "procedure/authenticate.hpp"
#include "procedure/ending.hpp"
#include "procedure/find.hpp"
#include "procedure/mount.hpp"
#include "procedure/preflight.hpp"
#include "procedure/prepare.hpp"
#include "procedure/reboot.hpp"
#include "procedure/verify.hpp"

#include <array>

namespace um {
namespace {

constexpr std::array procedure{
    Step{Stage::find, stages::find, OnCrash::restart},
    Step{Stage::authenticate, stages::authenticate, OnCrash::restart},
    Step{Stage::mount, stages::mount, OnCrash::restart},
    Step{Stage::preflight, stages::preflight, OnCrash::restart},
    Step{Stage::prepare, stages::prepare, OnCrash::restart},
    Step{Stage::apply, stages::apply, OnCrash::settle},
    Step{Stage::reboot, stages::reboot, OnCrash::resume},
    Step{Stage::verify, stages::verify, OnCrash::resume},
};

std::string seconds_text(std::chrono::microseconds duration) {
    return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1e6);
}

void enter(Job& job, Stage stage) {
    check_termination();
    job.state.stage = stage;
    job.state.boot_id = job.ports.appliance.boot_id();
    job.findings.clear();
    job.note.clear();
    if (stage == Stage::find) // a search that finds no media leaves no trace
        return;
    job.store.save(job.state);
    announce_stage(job);
    job.ports.appliance.flush_journal(); // if the power fails now, the journal is complete up to here
}

/// Before the prepare stage a finding refuses the upgrade. From then on it fails the stage.
EventKind kind_of_failure(const State& state) {
    return state.stage < Stage::prepare && !state.cut_off() ? EventKind::refused : EventKind::stage_failed;
}

/// Reports everything that the stage found. Throws Refused if the upgrade must not continue.
void judge(Job& job) {
    std::optional<Problem> first;
    for (const auto& finding : job.findings) {
        if (!is_refusal(finding)) {
            job.audit.finding(EventKind::warning, job.state, finding);
            // What a policy accepted before the change is in the journal. The outcome describes the appliance
            // as it is now.
            job.warned = job.warned || job.state.stage == Stage::verify;
            continue;
        }
        job.audit.finding(kind_of_failure(job.state), job.state,
                          first ? finding : refusal(with_way_out(job, finding)));
        if (!first)
            first = finding;
    }
    if (first)
        throw Refused{*first};
}

ExitCode succeed(Job& job) {
    return close(
        job,
        Ending{
            job.warned ? Outcome::succeeded_with_warnings : Outcome::succeeded,
            {.message = fmt::format(
                 "upgraded from {} to {}. Do not revert the virtual machine to its snapshot any more: usage "
                 "data collected since would be lost from the monthly reports",
                 job.state.from_version, job.state.to_version),
             .hint = "delete the snapshot in vCenter when you are satisfied"},
            ExitCode::done});
}

ExitCode nothing_to_do(Job& job) {
    if (job.announced)
        return close_failed(job,
                            {Reason::media_none, "the media are gone: " + job.note,
                             "provide them again and start um-upgrade"},
                            outcome_of_failure(job.state) == Outcome::needs_manual ? Outcome::needs_manual
                                                                                   : Outcome::failed,
                            code_of_failure(job.state, Reason::media_none));
    job.audit.event(EventKind::upgrade_finished, State{},
                    {.message = "nothing to do: " + job.note, .outcome = Outcome::nothing_to_do});
    return ExitCode::done;
}

} // namespace

const Step& step_of(Stage stage) {
    return procedure.at(static_cast<std::size_t>(stage));
}

ExitCode run_from(Job& job, Stage first) {
    for (auto stage = static_cast<std::size_t>(first); stage < procedure.size(); ++stage) {
        const auto& step = procedure.at(stage);
        enter(job, step.stage);
        const auto begin = job.ports.appliance.uptime();
        auto next = Next::stage;
        try {
            next = step.work(job);
        } catch (const Failure& failure) {
            job.findings.push_back(refusal(failure.problem()));
        }
        if (next == Next::nothing_to_do)
            return nothing_to_do(job);
        if (!job.announced) // the next start must know what the journal has
            job.store.save(job.state);
        announce(job);
        judge(job);
        if (next == Next::wait_for_boot)
            return ExitCode::done;
        const auto duration = job.ports.appliance.uptime() - begin;
        const auto note = job.note.empty() ? std::string("finished") : job.note;
        job.audit.event(EventKind::stage_finished, job.state,
                        {.message = fmt::format("{} ({})", note, seconds_text(duration)),
                         .stage = step.stage,
                         .duration = duration});
    }
    return succeed(job);
}

} // namespace um
