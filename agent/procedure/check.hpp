#pragma once
// The command `check`: would an upgrade start here and now, and if not, why not?

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct CheckResult {
    State state; ///< what became known of the media
    std::optional<Signer> signer;
    Digests digests; ///< of the ISO, as it was read
    std::vector<Finding> findings;
    RollbackMode rollback = RollbackMode::off;
    std::optional<RollbackCost>
        rollback_cost;         ///< what keeping the old system would take, where that is known
    bool needs_person = false; ///< an earlier upgrade does, and no other begins before
    bool nothing_to_do = false;
    std::string note;    ///< why there is nothing to do
    std::string failure; ///< what the machine failed, which ended the check early
};

/// Finds, authenticates, mounts, asks everything that preflight asks, and unmounts. Returns every finding,
/// and changes nothing that lasts. Throws Failure (busy).
CheckResult check_procedure(Job& job);

} // namespace um
