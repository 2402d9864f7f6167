#pragma once
// The way back: the old system is kept before a change, put back when the change or its verification fails,
// and proved to be the old one. `rollback.cpp` takes back; this keeps, and gives the space back.

#include "upgrade/job.hpp"

#include <string>
#include <vector>

namespace um {

inline constexpr auto rollback_unit = "um-upgrade-rollback.service";

/// While this file is there, the next boot takes the upgrade back; the unit's condition.
inline std::string due_flag(const Job& job) {
    return job.store.directory() + "/rollback-due";
}

/// What the agent itself, its logs and the media are: neither kept nor compared. A directory beside the log
/// is left out as a whole where it is called log or logs.
std::vector<std::string> left_out(const Job& job);

/// Works out what the way back would take, for preflight to judge; `repository` of the mounted media, empty
/// where there is none. Nothing where the mode is off. Throws Failure (rollback.unavailable).
std::optional<WayBack> probe_way_back(Job& job, const std::string& repository);

/// Keeps the old system, in prepare; what is left of earlier upgrades makes room for it. Adds to job.note and
/// job.findings. Throws Failure (rollback.unavailable), with nothing kept.
void keep_way_back(Job& job);

/// Starts what a process that was killed had stopped while it copied the product's data.
void wake_product(Job& job);

/// Says in the record what becomes of the way back as an upgrade is closed.
void settle_way_back(Job& job, Outcome outcome);

/// Gives back the space of what no closed record speaks of, or whose time is over. Throws SystemFailure.
void expire_ways_back(Job& job);

// --- rollback.cpp
// -------------------------------------------------------------------------------------------------

/// The unit must come up with the next boot, whatever the change did to it. Throws Failure with this reason
/// where it cannot, SystemFailure where D-Bus is away.
void ensure_rollback_unit(Job& job, Reason reason);

/// Whether this upgrade, whose change was begun, is to be taken back by itself.
bool may_take_back(const Job& job);

/// Decides it: from now on the next boot takes it back. Asks for that boot, by policy. Throws Failure where
/// the unit that would do it cannot run.
void begin_return(Job& job, const std::string& why);

/// Puts the old system back, in the unit, early in a boot, and asks for the next one: command `rollback`
/// there.
ExitCode take_back(Job& job);

/// Goes on with an upgrade that is being taken back, and proves and closes it in the end.
ExitCode go_on_returning(Job& job);

/// Takes the last upgrade back on behalf of a person: command `rollback`. Throws Failure
/// (rollback.unavailable, rollback.expired, busy).
ExitCode take_back_by_hand(Job& job, const std::string& why);

} // namespace um
