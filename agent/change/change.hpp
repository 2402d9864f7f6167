#pragma once
// The change itself, in the process of um-upgrade-apply.service.

#include "upgrade/job.hpp"

namespace um {

/// How the change is made: as the policy and the medium have it, or, once begun, as it was begun.
/// Throws Failure (media.content).
Method method_of(Job& job);

/// Whether a change that was cut off may be made again: by policy, and packages always, a script where the
/// media say so.
bool may_go_on(Job& job);

/// Runs the media's script, answers its questions, records the result in the state. Refuses to start outside
/// its stage or its unit (UsageError). Command `apply`.
ExitCode apply_change(Job& job);

} // namespace um
