#pragma once
// Rolls an upgrade back. It decides to do so, puts the old system back in a boot of its own, and proves it in
// the next boot.

#include "upgrade/job.hpp"

#include <optional>
#include <string>

namespace um {

/// Whether the agent may roll this upgrade back without a person. Its change must have begun.
bool may_roll_back(const Job& job);

/// Begins to roll the upgrade back because of `problem`, without a person. Returns false if the policy or the
/// kept files do not allow that, or if no unit can do it. Then a person is needed. Throws SystemFailure.
bool try_rollback(Job& job, const Problem& problem);

/// Puts the rollback on record, so that the next boot puts the old system back. Requests that boot, by the
/// policy of [reboot]. Throws Failure if the unit that would roll back cannot run, SystemFailure.
void schedule_rollback(Job& job, const std::string& why);

/// Puts the old system back and requests the next boot. It is the command `rollback` in
/// um-upgrade-rollback.service, early in a boot. Throws Failure for a damaged record, SystemFailure.
ExitCode roll_back(Job& job);

/// Continues the rollback of an upgrade. Returns nothing while it waits for a boot, otherwise the upgrade's
/// ending. Throws SystemFailure.
std::optional<Ending> resume_rollback(Job& job);

/// Rolls the last upgrade back on behalf of a person: the command `rollback`. Returns as resume_rollback()
/// does. Throws Failure (rollback.unavailable, rollback.expired, busy), SystemFailure.
std::optional<Ending> roll_back_by_hand(Job& job, const std::string& why);

/// Makes the next boot roll nothing back. Throws SystemFailure.
void call_off_rollback(Job& job);

} // namespace um
