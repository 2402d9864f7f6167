#pragma once
// After the boot: looks at the appliance until it is well or the time is over. Step 10 of the procedure.

#include "upgrade/job.hpp"

#include <vector>

namespace um {

struct Verdict {
    std::vector<Finding> findings; ///< everything that is wrong or worth a look, the gravest first
    std::string summary;           ///< what was seen, for the audit
};

/// At most [verify] deadline later. Throws SystemFailure.
Verdict verify_appliance(Job& job);

} // namespace um
