#include "rollback/paused_units.hpp"

#include <sstream>
#include <utility>

namespace um {
namespace {

constexpr auto hint = "start it by hand and look at its log";

} // namespace

void PausedUnits::stop() {
    // If this process made no survey, the configured units are stopped.
    for (const auto& unit : job_.product_units.empty() ? job_.config.verify.units : job_.product_units)
        if (job_.ports.services.status(unit).active == "active")
            stopped_.push_back(unit);
    for (const auto& unit : stopped_) // in case this process is killed
        job_.state.stopped += unit + " ";
    job_.store.save(job_.state);
    for (const auto& unit : stopped_)
        job_.ports.services.stop(unit);
}

void PausedUnits::start() {
    for (auto unit = stopped_.rbegin(); unit != stopped_.rend(); ++unit)
        for (bool again = true; std::exchange(again, false);)
            try {
                job_.ports.services.start(*unit);
            } catch (const SystemFailure& failure) {
                problem_ = failure.what();
            } catch (const Terminated& request) {
                asked_to_stop_ = request;
                forget_termination();
                again = true;
            }
    stopped_.clear();
    job_.state.stopped.clear(); // saved with the next stage, because starting a running unit does no harm
}

void PausedUnits::around(const std::function<void()>& work) {
    try {
        stop();
        work();
    } catch (...) { // even after a request to stop, the product must run again first
        start();
        if (!problem_.empty())
            job_.audit.finding(EventKind::warning, job_.state,
                               warning({Reason::services_unhealthy, problem_, hint}));
        throw;
    }
    start();
    if (asked_to_stop_)
        throw Terminated(*asked_to_stop_);
    if (!problem_.empty())
        throw Failure(Reason::services_unhealthy, problem_, hint);
}

void start_paused_units(Job& job) {
    std::istringstream units(std::exchange(job.state.stopped, {}));
    for (std::string unit; units >> unit;)
        try {
            job.ports.services.start(unit);
        } catch (const SystemFailure& failure) {
            job.audit.event(
                EventKind::warning, job.state,
                {.message = fmt::format("{}; it was stopped while its data were copied", failure.what()),
                 .hint = fmt::format("look at 'systemctl status {}'", unit),
                 .stage = job.state.stage,
                 .reason = Reason::services_unhealthy});
        }
}

} // namespace um
