#pragma once
// Waits for a change that is running in its own unit.

#include "upgrade/job.hpp"

namespace um {

/// Whether the change may be running. While D-Bus is away this is unknown, and the answer is yes.
bool may_be_at_work(Job& job);

/// Asks systemd to start the apply unit, and waits for its end like await_change(). Throws as that does, and
/// SystemFailure.
void begin_and_await_change(Job& job);

/// Waits for the end of a running change, and takes over the record that its unit wrote. A request to stop is
/// answered but not followed, because a change must not stop half-way. Throws Terminated if no change is
/// running, Failure (state.damaged).
void await_change(Job& job);

/// Reads the record again, because the apply unit may have written it. Throws Failure (state.damaged).
void reload(Job& job);

} // namespace um
