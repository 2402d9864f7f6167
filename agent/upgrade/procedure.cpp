#include "upgrade/procedure.hpp"

#include "confirmation.hpp"
#include "system/termination.hpp"
#include "upgrade/stages.hpp"

#include <array>

namespace um {
namespace {

/// What a start does that finds the record in this stage, with nobody at work.
enum class OnCrash {
    restart, ///< nothing lasting was changed: from the top, and authenticate again
    settle,  ///< the apply unit's record decides; a change that was cut off is made again
    resume   ///< go on here
};

struct Step {
    Stage stage;
    Next (*work)(Job&);
    OnCrash on_crash;
};

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

const Step& step_of(Stage stage) {
    return procedure.at(static_cast<std::size_t>(stage));
}

/// Ends the stage at work, with findings in the journal already.
struct Refused {
    Finding first;
};

std::string seconds_text(std::chrono::microseconds duration) {
    return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1e6);
}

void say_started(Job& job) {
    const auto stage = job.state.stage;
    job.audit.event(EventKind::stage_started, job.state,
                    {.message = fmt::format("{} …", word(stage)), .stage = stage});
}

/// Puts the upgrade into the journal, once it is known that there is something to do.
void announce(Job& job) {
    if (std::exchange(job.announced, true))
        return;
    job.audit.event(EventKind::upgrade_started, job.state,
                    {.message = fmt::format("upgrade {} started: {} -> {}", job.state.id,
                                            job.state.from_version.empty() ? "?" : job.state.from_version,
                                            job.state.to_version.empty() ? "?" : job.state.to_version)});
    say_started(job);
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

ExitCode close(Job& job, Outcome outcome, const EventDetail& detail, ExitCode code) {
    job.mounted.reset();
    job.state.outcome = outcome;
    job.state.reason = detail.reason;
    job.state.message = detail.message;
    job.state.hint = detail.hint;
    job.state.finished = iso8601(job.ports.appliance.now());
    auto closing = detail;
    closing.outcome = outcome;
    closing.message = fmt::format("{}: {}", word(outcome), detail.message);
    // Said before it is filed: a kill in between says it twice, the other way round never.
    job.audit.event(EventKind::upgrade_finished, job.state, closing);
    try {
        job.store.close(job.state);
    } catch (const SystemFailure& failure) {
        job.audit.event(EventKind::warning, job.state,
                        {.message = fmt::format("the record cannot be filed: {}", failure.what()),
                         .hint = "give the disk more space; the next start closes it"});
    }
    job.audit.progress(closing.message);
    return code;
}

/// An operator's next steps depend on what was changed, not on what went wrong.
Outcome outcome_of_failure(const State& state) {
    if (state.cut_off())
        return Outcome::needs_manual;
    if (state.stage < Stage::prepare)
        return Outcome::refused;
    if (state.stage < Stage::apply || (state.stage == Stage::apply && state.change == Change::none))
        return Outcome::failed;
    return Outcome::needs_manual;
}

/// What preflight would refuse is a failed verification when it is found after the boot.
ExitCode code_of_failure(Stage stage, Reason reason) {
    return stage == Stage::verify ? ExitCode::verification_failed : exit_code(reason);
}

ExitCode close_failed(Job& job, const Finding& finding, Outcome outcome, ExitCode code) {
    return close(job, outcome, {.message = finding.message, .hint = finding.hint, .reason = finding.reason},
                 code);
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
        return close_failed(
            job,
            {Finding::Severity::refusal, Reason::media_none, "the media are gone: " + job.note,
             job.state.cut_off() ? "the snapshot is the way back"
                                 : "provide them again and start um-upgrade"},
            outcome_of_failure(job.state) == Outcome::needs_manual ? Outcome::needs_manual : Outcome::failed,
            ExitCode::media);
    job.audit.event(EventKind::upgrade_finished, State{},
                    {.message = "nothing to do: " + job.note, .outcome = Outcome::nothing_to_do});
    return ExitCode::done;
}

/// Runs the stages from `first` on, to the end or to the reboot.
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

/// The one place where what the stages throw becomes an outcome.
template <class Work>
ExitCode guarded(Job& job, Work work) {
    try {
        return work();
    } catch (const Refused& refused) {
        return close_failed(job, refused.first, outcome_of_failure(job.state),
                            code_of_failure(job.state.stage, refused.first.reason));
    } catch (const Terminated&) {
        if (job.state.stage >= Stage::apply || job.state.cut_off() || !job.announced)
            throw; // the record stays open: the next start goes on with it
        close_failed(job,
                     {Finding::Severity::refusal, Reason::interrupted,
                      "stopped by request; nothing was changed", "start um-upgrade again"},
                     Outcome::failed, ExitCode::done);
        throw;
    } catch (const SystemFailure& failure) {
        announce(job);
        job.audit.event(EventKind::stage_failed, job.state,
                        {.message = failure.what(), .stage = job.state.stage});
        // The change may be at work, complete, or cut off: the next start looks.
        if (job.state.stage >= Stage::apply || job.state.cut_off())
            return ExitCode::internal;
        return close(job, Outcome::failed,
                     {.message = failure.what(), .hint = "look at 'journalctl -t um-upgrade'"},
                     ExitCode::internal);
    }
}

ExitCode start_new(Job& job) {
    job.state = State{};
    job.state.id = job.ports.appliance.new_id();
    job.state.started = iso8601(job.ports.appliance.now());
    job.state.attempts = 1;
    job.state.config = job.config_path;
    job.state.requested_media = job.only_media;
    return run_from(job, Stage::find);
}

/// From the top, with everything found and authenticated again; a change that was cut off is then made again.
ExitCode restart(Job& job) {
    const bool changed = job.state.cut_off();
    if (job.config.apply.interrupted == OnInterruption::stop)
        return close_failed(job,
                            {Finding::Severity::refusal, Reason::interrupted,
                             fmt::format("interrupted in {}; {}", word(job.state.stage),
                                         changed ? "the change was begun" : "nothing was changed"),
                             changed ? "the snapshot is the way back" : "start um-upgrade again"},
                            changed ? Outcome::needs_manual : Outcome::failed,
                            changed ? ExitCode::needs_manual : ExitCode::internal);
    if (job.state.attempts >= attempt_limit) {
        const Finding finding{
            Finding::Severity::refusal, Reason::interrupted,
            fmt::format("interrupted {} times, last in {}", job.state.attempts, word(job.state.stage)),
            "find out why from 'journalctl -t um-upgrade', then 'um-upgrade abandon --why TEXT'"};
        return close_failed(job, finding, Outcome::needs_manual, ExitCode::needs_manual);
    }
    ++job.state.attempts;
    job.store.save(job.state); // before anything is touched that may end this machine again
    job.only_media =
        job.state.requested_media; // the same media, wherever the interrupted run was told to find them
    return run_from(job, Stage::find);
}

/// Where an interrupted upgrade goes on.
ExitCode resume(Job& job) {
    if (job.state.stage == Stage::find) {
        announce(job); // recorded right before the journal was told, which may not have come to pass
    } else {
        job.announced = true;
        job.audit.event(EventKind::upgrade_resumed, job.state,
                        {.message = fmt::format("upgrade {} goes on after an interruption in {}",
                                                job.state.id, word(job.state.stage)),
                         .stage = job.state.stage});
    }
    switch (step_of(job.state.stage).on_crash) {
    case OnCrash::restart:
        return restart(job);
    case OnCrash::settle:
        if (job.ports.services.status(apply_unit).running())
            stages::await_change(job); // it alone writes the record meanwhile
        else
            stages::reload(job); // it may have ended just now
        if (job.state.change == Change::none || job.state.cut_off())
            return restart(job);
        break;
    case OnCrash::resume:
        break;
    }
    return run_from(job, job.state.stage);
}

bool boot_happened(const Job& job) {
    // Also when the agent was gone at the end of the change, and somebody rebooted.
    const bool due = job.state.stage == Stage::reboot ||
                     (job.state.stage == Stage::apply && job.state.change == Change::done);
    return due && job.state.boot_id != job.ports.appliance.boot_id();
}

ExitCode after_boot(Job& job) {
    job.announced = true;
    job.audit.event(EventKind::stage_finished, job.state,
                    {.message = "the appliance has rebooted", .stage = Stage::reboot});
    return run_from(job, Stage::verify);
}

ExitCode waits_for_reboot(Job& job) {
    job.console.line(fmt::format("upgrade {} waits for the reboot: run 'reboot'", job.state.id));
    return ExitCode::done;
}

ExitCode person_must_decide(Job& job) {
    job.console.line(fmt::format(
        "upgrade {} needs a person: {}\n    -> {}\n    -> afterwards: um-upgrade abandon --why TEXT",
        job.state.id, job.state.message, job.state.hint));
    job.audit.progress("needs-manual: " + job.state.message);
    return ExitCode::needs_manual;
}

} // namespace

ExitCode run_procedure(Job& job) {
    auto state = job.store.load();
    if (!state || (!state->open() && !state->waits_for_a_person()))
        return guarded(job, [&] { return start_new(job); });
    job.state = std::move(*state);
    if (job.state.waits_for_a_person())
        return person_must_decide(job);
    if (job.state.stage == Stage::reboot && !boot_happened(job) &&
        job.config.reboot.policy == RebootPolicy::manual)
        return waits_for_reboot(job);
    return guarded(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

ExitCode continue_after_boot(Job& job) {
    auto state = job.store.load();
    if (!state || !state->open())
        return ExitCode::done;
    job.state = std::move(*state);
    if (job.state.stage == Stage::reboot && !boot_happened(job))
        return waits_for_reboot(job);
    return guarded(job, [&] { return boot_happened(job) ? after_boot(job) : resume(job); });
}

void abandon_upgrade(Job& job, const std::string& why) {
    const auto who = job.ports.appliance.operator_name();
    if (job.ports.services.status(apply_unit).running())
        throw Failure(Reason::busy, "the change is at work and cannot be abandoned",
                      "wait for its end: um-upgrade status --follow");
    std::optional<State> state;
    try {
        state = job.store.load();
    } catch (const Failure& failure) { // closing it is the way out that the refusal names
        const auto kept = job.store.set_aside(iso8601(job.ports.appliance.now()));
        job.audit.event(EventKind::abandoned, State{},
                        {.message = fmt::format("{} abandoned a record that cannot be understood ({}): {}",
                                                who, kept, why),
                         .reason = failure.reason()});
        return;
    }
    if (!state || (!state->open() && !state->waits_for_a_person()))
        throw UsageError("no upgrade is open; there is nothing to abandon");
    job.state = *state;
    if (job.state.open()) {
        job.state.outcome =
            outcome_of_failure(job.state) == Outcome::needs_manual ? Outcome::needs_manual : Outcome::failed;
        job.state.reason = Reason::interrupted;
        job.state.message = fmt::format("abandoned in {}", word(job.state.stage));
        job.state.finished = iso8601(job.ports.appliance.now());
    }
    job.state.abandoned = why;
    job.store.close(job.state);
    job.audit.event(EventKind::abandoned, job.state,
                    {.message = fmt::format("{} abandoned upgrade {}: {}", who, job.state.id, why),
                     .outcome = job.state.outcome});
}

} // namespace um
