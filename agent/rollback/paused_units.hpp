#pragma once
// Stops the product while its data are copied.

#include "base/termination.hpp"
#include "upgrade/job.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// Stops the product's units during one piece of work. The record lists them meanwhile, in case this process
/// is killed.
class PausedUnits {
public:
    explicit PausedUnits(Job& job) : job_(job) {}

    /// Stops the running units, does the work, and starts them again, whatever happens. Throws what `work`
    /// throws; SystemFailure if a unit cannot be stopped; Failure (services.unhealthy) if one does not start
    /// again; Terminated if somebody asked to stop meanwhile.
    void around(const std::function<void()>& work);

private:
    void stop();
    void start();

    Job& job_;
    std::vector<std::string> stopped_;
    std::optional<Terminated> asked_to_stop_; ///< a request that came while the units were started
    std::string problem_;                     ///< of a unit that did not start
};

/// Starts the units that a killed process had stopped. A unit that does not start causes a warning.
void start_paused_units(Job& job);

} // namespace um
