#pragma once
// The product stands still while its data are copied.

#include "base/termination.hpp"
#include "upgrade/job.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// Stops the product's units for the time of one piece of work. They are on record meanwhile, should this
/// process be killed.
class PausedUnits {
public:
    explicit PausedUnits(Job& job) : job_(job) {}

    /// Stops the units that run, works, and starts them again, whatever happens. Throws what `work` throws;
    /// SystemFailure when a unit cannot be stopped; Failure (services.unhealthy) when one does not start
    /// again; Terminated when somebody asked to stop meanwhile.
    void around(const std::function<void()>& work);

private:
    void stop();
    void start();

    Job& job_;
    std::vector<std::string> stopped_;
    std::optional<Terminated> asked_to_stop_; ///< while the units were started
    std::string problem_;                     ///< of a unit that did not start
};

/// Starts the units that a process which was killed had stopped.
void start_paused_units(Job& job);

} // namespace um
