#pragma once
// After the boot: looks at the appliance until it is healthy or the time is over. Step 10 of the procedure.

#include "upgrade/job.hpp"

#include <vector>

namespace um {

struct Verdict {
    std::vector<Finding> findings; ///< everything that is wrong or worth a look, the gravest kinds first
    std::string summary;           ///< what was seen, for the audit
};

/// Waits for at most [verify] deadline, but not less than steady_time. The operator's checks and a last look
/// at the units may take longer. Throws SystemFailure and Terminated.
Verdict verify_appliance(Job& job);

} // namespace um
