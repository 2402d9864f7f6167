#include "change/watch.hpp"

#include "base/termination.hpp"

namespace um {

bool may_be_at_work(Job& job) {
    try {
        return job.ports.services.status(apply_unit).running();
    } catch (const SystemFailure&) {
        return true;              // ignoring: waiting for its end will show more
    } catch (const Terminated&) { // a second request gets no second answer
        forget_termination();
        return true;
    }
}

namespace {

/// A change must not stop half-way. While it is running, a request to stop is answered but not followed.
void refuse_to_stop(Job& job, const Terminated& request) {
    forget_termination();
    if (!may_be_at_work(job))
        throw Terminated{request.signal}; // nothing has begun, or all is done
    job.audit.event(EventKind::warning, job.state,
                    {.message = "asked to stop, but the change is running and cannot be stopped; continuing",
                     .hint = "watch it with 'um-upgrade status --follow'",
                     .stage = Stage::apply,
                     .reason = Reason::busy});
}

} // namespace

void begin_and_await_change(Job& job) {
    try {
        job.ports.services.begin(apply_unit);
    } catch (const Terminated& request) {
        refuse_to_stop(job, request);
    }
    await_change(job);
}

void await_change(Job& job) {
    for (bool waiting = true; waiting;) {
        try {
            job.ports.services.wait_for_end(apply_unit,
                                            [&](const std::string& text) { job.audit.progress(text); });
            waiting = false;
        } catch (const Terminated& request) {
            refuse_to_stop(job, request);
        }
    }
    reload(job);
}

void reload(Job& job) {
    const auto state = job.store.load();
    if (!state || state->id != job.state.id)
        throw Failure(Reason::state_damaged, fmt::format("{} changed during the upgrade", job.store.path()),
                      "look at 'journalctl -t um-upgrade'");
    job.state = *state;
}

} // namespace um
