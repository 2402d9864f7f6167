#pragma once
// Waits for a change that is at work in its own unit.

#include "upgrade/job.hpp"

namespace um {

/// Whether the change may be at work. While D-Bus is away nobody can tell, and the answer is yes.
bool may_be_at_work(Job& job);

/// Asks systemd for the apply unit, and waits for its end like await_change().
void begin_and_await_change(Job& job);

/// Waits for the end of a change that is at work, and takes over the record that its unit wrote. A request to
/// stop is answered and not followed: nobody wants half a change. Throws Terminated where no change is at
/// work, Failure (state.damaged).
void await_change(Job& job);

/// Reads the record again, which the apply unit may have written. Throws Failure (state.damaged).
void reload(Job& job);

} // namespace um
