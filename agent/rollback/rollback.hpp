#pragma once
// Rolls an upgrade back: decides it, puts the old system back in a boot of its own, proves it in the next
// one.

#include "upgrade/job.hpp"

#include <optional>
#include <string>

namespace um {

/// Whether this upgrade, whose change was begun, is rolled back without a person.
bool may_roll_back(const Job& job);

/// Rolls the upgrade back because of `problem`, without a person. False where the policy or the kept files do
/// not allow that: then a person is needed.
bool try_rollback(Job& job, const Problem& problem);

/// Decides it: the next boot puts the old system back. Requests that boot, by policy. Throws Failure where
/// the unit that would do it cannot run, SystemFailure.
void schedule_rollback(Job& job, const std::string& why);

/// Puts the old system back and requests the next boot. It is the command `rollback` in
/// um-upgrade-rollback.service, early in a boot.
ExitCode roll_back(Job& job);

/// Continues an upgrade that is being rolled back. Nothing where it waits for a boot; otherwise its ending.
/// Throws SystemFailure.
std::optional<Ending> resume_rollback(Job& job);

/// Rolls the last upgrade back on behalf of a person: the command `rollback`. Returns as resume_rollback()
/// does. Throws Failure (rollback.unavailable, rollback.expired, busy).
std::optional<Ending> roll_back_by_hand(Job& job, const std::string& why);

/// A rollback that was called off does not happen in the next boot. Throws SystemFailure.
void call_off_rollback(Job& job);

} // namespace um
