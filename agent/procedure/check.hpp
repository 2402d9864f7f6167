#pragma once
// The command `check`: would an upgrade start here and now, and if not, why not?

#include "upgrade/job.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

struct CheckResult {
    State state; ///< what is known about the media
    std::optional<Signer> signer;
    Digests digests; ///< of the ISO, as it was read
    std::vector<Finding> findings;
    RollbackMode rollback = RollbackMode::off;
    std::optional<RollbackCost> rollback_cost; ///< what it takes to keep the old system, if known
    bool needs_person = false;                 ///< an earlier upgrade does, and no other begins until then
    bool nothing_to_do = false;
    std::string note;    ///< why there is nothing to do
    std::string failure; ///< the failure of the machine that ended the check early
};

/// Finds, authenticates and mounts the media, asks everything that preflight asks, and unmounts. Returns
/// every finding and changes nothing that lasts. Throws Failure (busy) and Terminated.
CheckResult check_procedure(Job& job);

} // namespace um
