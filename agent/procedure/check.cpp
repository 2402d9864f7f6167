#include "procedure/check.hpp"

#include "base/termination.hpp"
#include "procedure/authenticate.hpp"
#include "procedure/find.hpp"
#include "procedure/mount.hpp"
#include "procedure/preflight.hpp"

#include <algorithm>

namespace um {
namespace {

/// Runs one stage's work and keeps what it found. Returns whether it refused nothing and did not fail.
bool examine(Job& job, CheckResult& result, Next (*work)(Job&)) {
    job.findings.clear();
    job.note.clear();
    collect(job, [&] {
        check_termination();
        try {
            if (work(job) == Next::nothing_to_do) {
                result.nothing_to_do = true;
                result.note = job.note;
            }
        } catch (const SystemFailure& failure) {
            result.failure = failure.what(); // the findings so far are still worth knowing
        }
    });
    result.findings.insert(result.findings.end(), job.findings.begin(), job.findings.end());
    return result.failure.empty() && std::none_of(job.findings.begin(), job.findings.end(), is_refusal);
}

/// The command `run` first meets what an earlier upgrade left.
void examine_record(const Job& job, CheckResult& result) {
    try {
        const auto state = job.store.load();
        if (!state)
            return;
        result.needs_person = state->waits_for_a_person() && !state->goes_on_when_mended();
        if (result.needs_person)
            result.findings.push_back(refusal(
                {state->reason.value_or(Reason::interrupted),
                 fmt::format("upgrade {} needs a person: {}", state->id, state->message), way_out(*state)}));
        else if (state->waits_for_boot(job.ports.appliance.boot_id()))
            result.findings.push_back(
                warning({Reason::reboot_pending, fmt::format("upgrade {} waits for its reboot", state->id),
                         "run 'reboot'"}));
        else if (state->open() || state->waits_for_a_person())
            result.findings.push_back(warning(
                {Reason::interrupted, fmt::format("upgrade {} is open, in {}", state->id, word(state->stage)),
                 "'um-upgrade status' says how it continues"}));
    } catch (const Failure& damaged) {
        result.needs_person = true;
        result.findings.push_back(refusal(damaged.problem()));
    }
}

void examine_all(Job& job, CheckResult& result) {
    const bool found = examine(job, result, stages::find);
    if (result.nothing_to_do && !job.media && job.state.media.empty()) {
        result.nothing_to_do = false;
        result.findings.push_back(
            refusal({Reason::media_none, result.note,
                     "copy the upgrade ISO with its .mf, .crt and .sign there, or put it into the drive"}));
    }
    if (!job.media || !result.failure.empty())
        return;
    job.audit.progress("authenticate …");
    const bool genuine = found && examine(job, result, stages::authenticate);
    // Media that are not genuine are not mounted. Media that cannot be applied are not examined further.
    if (genuine && !examine(job, result, stages::mount))
        job.mounted.reset();
    if (result.failure.empty())
        examine(job, result, stages::preflight);
}

} // namespace

CheckResult check_procedure(Job& job) {
    CheckResult result;
    try {
        if (job.ports.services.status(apply_unit).running()) // it uses what a check would unmount
            throw Failure(Reason::busy, "the change is running",
                          "watch it with 'um-upgrade status --follow'");
        examine_record(job, result);
        examine_all(job, result);
    } catch (const SystemFailure& failure) {
        result.failure = failure.what();
    }
    job.mounted.reset();
    result.state = job.state;
    result.signer = job.signer;
    result.digests = job.digests;
    result.rollback = job.config.rollback.mode;
    result.rollback_cost = job.rollback_cost;
    return result;
}

} // namespace um
