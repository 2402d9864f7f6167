#pragma once
// The change itself. It runs in the process of um-upgrade-apply.service.

#include "upgrade/job.hpp"

namespace um {

/// How the change is made. The policy and the medium decide, but a change that was begun keeps its method.
/// Throws Failure (media.content) and SystemFailure.
Method method_of(Job& job);

/// Whether a change that was cut off may be made again. The policy must allow it. Packages then only require
/// a repository on the medium. A script requires that the media declare it repeatable. Throws as method_of()
/// does.
bool may_go_on(Job& job);

/// Runs the media's script or the package manager, answers questions, and records the result in the state. It
/// is the command `apply`. Throws UsageError outside its stage or its unit, and SystemFailure.
ExitCode apply_change(Job& job);

} // namespace um
