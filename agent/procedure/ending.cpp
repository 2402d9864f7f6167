#include "procedure/ending.hpp"

#include "base/time.hpp"
#include "change/watch.hpp"
#include "procedure/announce.hpp"
#include "rollback/expiry.hpp"
#include "rollback/rollback.hpp"
#include "upgrade/snapshot.hpp"

namespace um {
namespace {

/// A failure here is only a warning, because the record matters more than the space.
void release_space(Job& job) {
    try {
        expire_kept_files(job);
    } catch (const std::runtime_error& failure) { // from the machine, or from a record in history/
        job.audit.event(
            EventKind::warning, job.state,
            {.message = fmt::format("the space of the kept files cannot be freed: {}", failure.what()),
             .hint = "um-upgrade tries again every hour",
             .reason = Reason::system_failed});
    }
}

/// What a person can do if the agent does not roll back by itself.
std::string way_out_by_hand(const State& state) {
    return state.has_kept_files && !state.rolling_back()
               ? "roll the upgrade back with 'um-upgrade rollback --why TEXT'"
               : revert_to_snapshot;
}

Problem with_hint(Problem problem, const std::string& hint) {
    problem.hint = problem.hint.empty() ? hint : fmt::format("{}; or {}", problem.hint, hint);
    return problem;
}

/// If the change's unit is not running, the record knows.
bool is_anything_changed(Job& job) {
    if (job.state.stage != Stage::apply)
        return job.state.stage > Stage::apply || job.state.cut_off();
    if (may_be_at_work(job))
        return true;
    reload(job);
    return job.state.change != Change::none;
}

} // namespace

Problem with_way_out(const Job& job, Problem problem) {
    if (outcome_of_failure(job.state) != Outcome::needs_manual)
        return problem;
    if (!may_roll_back(job))
        return with_hint(std::move(problem), way_out_by_hand(job.state));
    constexpr auto by_itself = "um-upgrade rolls the upgrade back by itself; do not revert to the snapshot";
    problem.hint = problem.hint.empty() ? by_itself : fmt::format("{}; {}", by_itself, problem.hint);
    return problem;
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

ExitCode code_of_failure(const State& state, Reason reason) {
    if (state.stage == Stage::verify)
        return ExitCode::verification_failed;
    if (state.cut_off())
        return ExitCode::needs_manual;
    const auto code = exit_code(reason);
    return state.change != Change::none && code == ExitCode::preflight_refused ? ExitCode::apply_failed
                                                                               : code;
}

ExitCode close(Job& job, const Ending& ending) {
    auto detail = ending.detail;
    job.mounted.reset();
    job.state.outcome = ending.outcome;
    job.state.reason = detail.reason;
    job.state.message = detail.message;
    job.state.hint = detail.hint;
    job.state.finished = iso8601(job.ports.appliance.now());
    settle_kept_files(job, ending.outcome);
    detail.outcome = ending.outcome;
    detail.message = fmt::format("{}: {}", word(ending.outcome), detail.message);
    // The journal gets the outcome before the record is filed. A kill in between then reports it twice. The
    // other order could report it never.
    job.audit.event(EventKind::upgrade_finished, job.state, detail);
    job.ports.appliance.flush_journal();
    try {
        job.store.close(job.state);
    } catch (const SystemFailure& failure) {
        job.audit.event(EventKind::warning, job.state,
                        {.message = fmt::format("the record cannot be filed: {}", failure.what()),
                         .hint = "give the disk more space; the next start closes it",
                         .reason = Reason::system_failed});
    }
    release_space(job); // only now, so that a cut cannot leave a record that names what is gone
    job.audit.status(detail.message);
    return ending.code;
}

ExitCode close(Job& job, const std::optional<Ending>& ending) {
    return ending ? close(job, *ending) : ExitCode::done;
}

ExitCode close_failed(Job& job, const Problem& problem, Outcome outcome, ExitCode code) {
    if (job.state.cut_off() && is_about_media(problem.reason) && job.state.tries > 0)
        --job.state.tries; // nothing was tried; it may continue when the media are back
    if (outcome != Outcome::needs_manual)
        return close(job, Ending{outcome, detail_of(problem), code});
    if (try_rollback(job, problem))
        return code;
    // Where nothing was changed, reverting would only lose usage data.
    const bool changed = outcome_of_failure(job.state) == Outcome::needs_manual;
    return close(
        job,
        Ending{outcome, detail_of(changed ? with_hint(problem, way_out_by_hand(job.state)) : problem), code});
}

ExitCode close_refused(Job& job, const Refused& refused) {
    return close_failed(job, refused.first, outcome_of_failure(job.state),
                        code_of_failure(job.state, refused.first.reason));
}

void close_terminated(Job& job) {
    forget_termination(); // closing must not be cut short; the request is followed afterwards
    if (!job.announced || is_anything_changed(job))
        return; // the record stays open, and the next start continues it
    close_failed(job,
                 {Reason::interrupted, "stopped by request; nothing was changed", "start um-upgrade again"},
                 Outcome::failed, ExitCode::done);
}

ExitCode close_broken(Job& job, const SystemFailure& failure) {
    announce(job);
    // The change may be running, complete or cut off. The next start finds out.
    const bool goes_on = job.state.stage >= Stage::apply || job.state.cut_off();
    const Problem problem{
        Reason::system_failed, failure.what(),
        goes_on ? "fix it; the upgrade continues at the next boot, or with 'systemctl start um-upgrade'"
                : "nothing was changed; fix it, then start um-upgrade again"};
    job.audit.finding(EventKind::stage_failed, job.state, refusal(problem));
    if (goes_on)
        return exit_code(problem.reason);
    return close(job, Ending{Outcome::failed, detail_of(problem), exit_code(problem.reason)});
}

} // namespace um
