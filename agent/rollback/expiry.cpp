#include "rollback/expiry.hpp"

#include "base/time.hpp"

#include <algorithm>

namespace um {
namespace {

std::optional<State> record_of(const Job& job, const std::string& id) {
    return job.state.id == id ? job.state : job.store.closed(id);
}

} // namespace

void settle_kept_files(Job& job, Outcome outcome) {
    auto& state = job.state;
    if (!state.has_kept_files)
        return;
    // An upgrade that was rolled back or changed nothing requires no kept files.
    state.has_kept_files =
        outcome != Outcome::refused && outcome != Outcome::failed && outcome != Outcome::rolled_back;
    const bool something_stays = state.has_kept_files || outcome == Outcome::rolled_back; // then added/ stays
    if (something_stays && (outcome != Outcome::needs_manual || !state.abandoned.empty()))
        state.kept_until = iso8601(job.ports.appliance.now() + job.config.rollback.keep);
}

void expire_kept_files(Job& job) {
    auto& keeper = job.ports.keeper;
    const auto now = iso8601(job.ports.appliance.now());
    for (const auto& id : keeper.all()) {
        std::optional<State> state;
        try {
            state = record_of(job, id);
        } catch (const Failure& failure) { // the next upgrade frees the space
            job.audit.output(job.state, fmt::format("{}, ignoring: its kept files stay", failure.what()));
            continue;
        }
        // An open upgrade still requires its kept files, and a person may be about to roll back.
        if (state && (state->open() || state->waits_for_a_person()))
            continue;
        const bool in_time = state && state->kept_until > now;
        if (in_time && state->has_kept_files)
            continue;
        const auto complete = keeper.kept();
        const bool was_kept = std::find(complete.begin(), complete.end(), id) != complete.end();
        const bool taken = state && state->outcome == Outcome::rolled_back;
        keeper.discard(id, in_time && taken ? Keeper::Added::stay : Keeper::Added::go);
        if (!state || !was_kept || in_time)
            continue;
        if (job.state.id == id) { // `status` shows it
            job.state.has_kept_files = false;
            job.store.close(job.state);
        }
        job.audit.output(
            *state, fmt::format("upgrade {} can no longer be rolled back; its kept files were deleted", id));
    }
}

} // namespace um
