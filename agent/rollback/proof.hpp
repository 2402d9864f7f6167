#pragma once
// Whether what was put back is the old system, and what stands beside it for the next boot to know.

#include "upgrade/job.hpp"

#include <string>
#include <vector>

namespace um {

/// A cut while the upgrade is taken back costs nothing but time, so it is allowed more of them than a change.
inline constexpr unsigned rollback_limit = 10;

/// The story's notes stand beside what is kept; one line for each item. Throw SystemFailure.
inline constexpr auto owned_note = "owned";           ///< files of packages, as the first attempt found them
inline constexpr auto files_note = "differing-files"; ///< after everything was put back
inline constexpr auto differences_note = "differences"; ///< for the person who is needed
void write_note(Job& job, const char* name, const std::vector<std::string>& lines);
std::vector<std::string> read_note(Job& job, const char* name);

/// In the boot after: the files as they were compared before anything ran, the units, the report and all else
/// that a verification looks at, packages and what `rpm -Va` says. Closes the upgrade.
Ending prove_rollback(Job& job);

} // namespace um
