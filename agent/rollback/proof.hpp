#pragma once
// Proves that what was put back is the old system. Also reads and writes the notes that one boot leaves for
// the next.

#include "upgrade/job.hpp"

#include <string>
#include <vector>

namespace um {

/// A cut during a rollback costs only time, so a rollback may be cut off more often than a change.
inline constexpr unsigned rollback_limit = 10;

/// The notes are stored beside the kept files, one line for each item. The functions throw SystemFailure.
inline constexpr auto owned_note = "owned";           ///< files of packages, as the first attempt found them
inline constexpr auto files_note = "differing-files"; ///< those found after everything was put back
inline constexpr auto differences_note = "differences"; ///< for a person to read
void write_note(Job& job, const char* name, const std::vector<std::string>& lines);
std::vector<std::string> read_note(Job& job, const char* name);

/// Proves the rollback in the boot that follows it. The files were compared before anything else ran, and
/// that result counts here. Then come the units, the status report and all else that a verification looks at,
/// the packages, and the output of `rpm -Va`. Returns the ending of the upgrade. Throws SystemFailure.
Ending prove_rollback(Job& job);

} // namespace um
