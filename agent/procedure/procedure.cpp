#include "procedure/procedure.hpp"

#include "upgrade/snapshot.hpp"
#include "base/termination.hpp"
#include "procedure/stages.hpp"
#include "rollback/keep.hpp"

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

void say_started(Job& job) {
    const auto stage = job.state.stage;
    job.audit.event(EventKind::stage_started, job.state,
                    {.message = fmt::format("{} …", word(stage)), .stage = stage});
}

void enter(Job& job, Stage stage) {
    check_termination();
    job.state.stage = stage;
    job.state.boot_id = job.ports.appliance.boot_id();
    job.findings.clear();
    job.note.clear();
    if (stage == Stage::find) // looking for media leaves no trace where there are none
        return;
    job.store.save(job.state);
    say_started(job);
    job.ports.appliance.flush_journal(); // whenever the power fails now, the story is known up to here
}

/// Before the change a finding refuses it; afterwards it fails the stage.
EventKind kind_of_failure(const State& state) {
    return state.stage < Stage::prepare && !state.cut_off() ? EventKind::refused : EventKind::stage_failed;
}

/// Says everything that the stage found; throws Refused when it must not go on.
void judge(Job& job) {
    std::optional<Finding> first;
    for (const auto& finding : job.findings) {
        job.audit.finding(is_refusal(finding) ? kind_of_failure(job.state) : EventKind::warning, job.state,
                          finding);
        if (is_refusal(finding) && !first)
            first = finding;
        // What a policy accepted before the change is in the journal; the outcome speaks of the appliance as
        // it is now.
        if (!is_refusal(finding) && job.state.stage == Stage::verify)
            job.warned = true;
    }
    if (first)
        throw Refused{*first};
}

/// The record matters more than the space.
void give_space_back(Job& job) {
    try {
        expire_ways_back(job);
    } catch (const std::runtime_error& failure) { // of the machine, or of a record in history/
        job.audit.event(
            EventKind::warning, job.state,
            {.message = fmt::format("the way back's space cannot be given back: {}", failure.what()),
             .hint = "it is tried again every hour",
             .reason = Reason::system_failed});
    }
}

/// What preflight would refuse is a failed verification when it is found after the boot; and no code may say
/// that nothing was changed where something was.
ExitCode code_of_failure(const State& state, Reason reason) {
    if (state.stage == Stage::verify)
        return ExitCode::verification_failed;
    if (state.cut_off())
        return ExitCode::needs_manual;
    const auto code = exit_code(reason);
    return state.change != Change::none && code == ExitCode::preflight_refused ? ExitCode::apply_failed
                                                                               : code;
}

ExitCode succeed(Job& job) {
    const auto outcome = job.warned ? Outcome::succeeded_with_warnings : Outcome::succeeded;
    return close(job, outcome,
                 {.message = fmt::format(
                      "upgraded from {} to {}. Do not revert the virtual machine to its snapshot any more: "
                      "usage data collected since would be lost from the monthly reports",
                      job.state.from_version, job.state.to_version),
                  .hint = "delete the snapshot in vCenter when you are content"},
                 ExitCode::done);
}

ExitCode nothing_to_do(Job& job) {
    if (job.announced)
        return close_failed(job,
                            {Finding::Severity::refusal, Reason::media_none,
                             "the media are gone: " + job.note, "provide them again and start um-upgrade"},
                            outcome_of_failure(job.state) == Outcome::needs_manual ? Outcome::needs_manual
                                                                                   : Outcome::failed,
                            code_of_failure(job.state, Reason::media_none));
    job.audit.event(EventKind::upgrade_finished, State{},
                    {.message = "nothing to do: " + job.note, .outcome = Outcome::nothing_to_do});
    return ExitCode::done;
}

/// Without a person, where the policy says so and the old system is there. False: a person is needed after
/// all.
bool taken_back(Job& job, const Finding& finding) {
    if (!may_take_back(job))
        return false;
    job.mounted.reset();
    job.state.reason = finding.reason;
    job.state.message = finding.message;
    job.state.hint = finding.hint;
    try {
        begin_return(job, finding.message);
        return true;
    } catch (const Failure& failure) {
        job.state.rollback = Return::none;
        job.audit.finding(EventKind::warning, job.state, failure.finding());
        return false;
    }
}

} // namespace

ExitCode close(Job& job, Outcome outcome, const EventDetail& detail, ExitCode code) {
    job.mounted.reset();
    job.state.outcome = outcome;
    job.state.reason = detail.reason;
    job.state.message = detail.message;
    job.state.hint = detail.hint;
    job.state.finished = iso8601(job.ports.appliance.now());
    settle_way_back(job, outcome);
    auto closing = detail;
    closing.outcome = outcome;
    closing.message = fmt::format("{}: {}", word(outcome), detail.message);
    // Said before it is filed: a kill in between says it twice, the other way round never.
    job.audit.event(EventKind::upgrade_finished, job.state, closing);
    job.ports.appliance.flush_journal();
    try {
        job.store.close(job.state);
    } catch (const SystemFailure& failure) {
        job.audit.event(EventKind::warning, job.state,
                        {.message = fmt::format("the record cannot be filed: {}", failure.what()),
                         .hint = "give the disk more space; the next start closes it",
                         .reason = Reason::system_failed});
    }
    give_space_back(job); // when no cut can make the record speak of what is gone
    job.audit.progress(closing.message);
    return code;
}

bool change_is_at_work(Job& job, const State& state) {
    return !state.returns() && state.boot_id == job.ports.appliance.boot_id() &&
           job.ports.services.status(apply_unit).running();
}

void announce(Job& job) {
    if (std::exchange(job.announced, true))
        return;
    job.audit.event(EventKind::upgrade_started, job.state,
                    {.message = fmt::format("upgrade {} started: {} -> {}", job.state.id,
                                            job.state.from_version.empty() ? "?" : job.state.from_version,
                                            job.state.to_version.empty() ? "?" : job.state.to_version)});
    say_started(job);
}

const Step& step_of(Stage stage) {
    return procedure.at(static_cast<std::size_t>(stage));
}

Outcome outcome_of_failure(const State& state) {
    if (state.cut_off())
        return Outcome::needs_manual;
    if (state.stage < Stage::prepare)
        return Outcome::refused;
    if (state.stage < Stage::apply || (state.stage == Stage::apply && state.change == Change::none))
        return Outcome::failed;
    return Outcome::needs_manual;
}

ExitCode close_failed(Job& job, const Finding& finding, Outcome outcome, ExitCode code) {
    if (job.state.cut_off() && is_about_media(finding.reason) && job.state.tries > 0)
        --job.state.tries; // nothing was tried: when the media are back, it may go on
    if (outcome == Outcome::needs_manual && taken_back(job, finding))
        return code;
    auto hint = finding.hint;
    if (outcome == Outcome::needs_manual && job.state.way_back && !job.state.returns())
        hint += "; or take the upgrade back: 'um-upgrade rollback --why TEXT'";
    return close(job, outcome, {.message = finding.message, .hint = hint, .reason = finding.reason}, code);
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
            job.findings.push_back(failure.finding());
        }
        if (next == Next::nothing_to_do)
            return nothing_to_do(job);
        if (!job.announced) // what the journal tells of, the next start must know
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

ExitCode close_refused(Job& job, const Refused& refused) {
    return close_failed(job, refused.first, outcome_of_failure(job.state),
                        code_of_failure(job.state, refused.first.reason));
}

namespace {

/// Where the change's unit is not at work, the record knows.
bool is_anything_changed(Job& job) {
    if (job.state.stage != Stage::apply)
        return job.state.stage > Stage::apply || job.state.cut_off();
    try {
        if (job.ports.services.status(apply_unit).running())
            return true;
    } catch (const SystemFailure&) {
        return true; // ignoring: it may be
    }
    stages::reload(job);
    return job.state.change != Change::none;
}

} // namespace

void close_terminated(Job& job) {
    forget_termination(); // closing it must not be cut short; the request is followed all the same
    if (!job.announced || is_anything_changed(job))
        return; // the record stays open: the next start goes on with it
    close_failed(job,
                 {Finding::Severity::refusal, Reason::interrupted, "stopped by request; nothing was changed",
                  "start um-upgrade again"},
                 Outcome::failed, ExitCode::done);
}

ExitCode close_broken(Job& job, const SystemFailure& failure) {
    announce(job);
    // The change may be at work, complete, or cut off: the next start looks.
    const bool goes_on = job.state.stage >= Stage::apply || job.state.cut_off();
    const Finding finding{Finding::Severity::refusal, Reason::system_failed, failure.what(),
                          goes_on ? "mend it; the next boot goes on, or 'systemctl start um-upgrade'"
                                  : "mend it, then start um-upgrade again; nothing was changed"};
    job.audit.finding(EventKind::stage_failed, job.state, finding);
    if (goes_on)
        return exit_code(finding.reason);
    return close(job, Outcome::failed,
                 {.message = finding.message, .hint = finding.hint, .reason = finding.reason},
                 exit_code(finding.reason));
}

} // namespace um
