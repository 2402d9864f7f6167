#pragma once
// The change itself, in the process of um-upgrade-apply.service.

#include "upgrade/procedure.hpp"

namespace um {

/// Runs the media's script, answers its questions, records the result in the state. Refuses to start outside
/// its stage or its unit (UsageError). Command `apply`.
ExitCode apply_change(Job& job);

} // namespace um
