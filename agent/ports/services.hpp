#pragma once
// systemd and logind.
// Unless noted otherwise, every function throws SystemFailure when the machine fails. Every function that
// asks systemd or logind also throws Terminated.

#include "base/fd.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace um {

struct UnitStatus {
    bool loaded = false;
    bool masked = false;
    std::string active; ///< "active", "activating", "inactive", "failed" …
    bool job = false;   ///< a start or stop of it is queued or in progress
    /// Running, or about to start or to stop.
    bool running() const {
        return job || active == "activating" || active == "active" || active == "deactivating";
    }
};

/// What happened to a service in this boot.
struct UnitHistory {
    unsigned restarts = 0; ///< automatic restarts by systemd, including one that is about to happen
    std::chrono::microseconds active_since{}; ///< on Appliance::uptime()'s clock
};

/// systemd and logind over D-Bus.
class Services {
public:
    virtual ~Services() = default;
    virtual UnitStatus status(const std::string& unit) = 0;
    /// "enabled", "disabled", "static" …, or "" for a unit that no file defines
    virtual std::string enablement(const std::string& unit) = 0;
    /// What the service reports with STATUS=.
    virtual std::string status_text(const std::string& service) = 0;
    virtual UnitHistory history(const std::string& service) = 0;
    /// The unit's own name. It differs from `unit` when that is an alias.
    virtual std::string own_name(const std::string& unit) = 0;
    virtual void enable(const std::string& unit) = 0;
    /// Starts the unit and waits for the job. Throws SystemFailure, also when the unit is not active then.
    virtual void start(const std::string& unit) = 0;
    /// Stops the unit and waits for the job. Throws SystemFailure, also when the unit still runs then.
    virtual void stop(const std::string& unit) = 0;
    /// Asks for the start of a oneshot unit and does not wait for it.
    virtual void begin(const std::string& unit) = 0;
    /// Waits for a oneshot unit's end, however long that takes, and returns the unit's result. `on_status`
    /// gets each new STATUS= of the unit. A restart of D-Bus or systemd does not end the wait.
    virtual std::string wait_for_end(const std::string& unit,
                                     const std::function<void(const std::string&)>& on_status) = 0;
    /// While the descriptor is open, logind refuses to shut down, to reboot and to sleep wherever it can, and
    /// gives `why` as the reason. Before systemd 257, it does not refuse a reboot by root.
    virtual Fd inhibit_shutdown(const std::string& why) = 0;
    /// "shutdown" when one is in progress; "reboot", "poweroff" and so on when that is scheduled `within`
    /// this time from now; else empty.
    virtual std::string shutdown_due(std::chrono::microseconds within) = 0;
    /// Asks logind for a reboot that begins when this process ends. Without logind, it asks systemd for a
    /// reboot that begins at once.
    virtual void reboot() = 0;
    /// Schedules a reboot with a wall message, `delay` from now.
    virtual void schedule_reboot(std::chrono::microseconds delay) = 0;
    /// Whether this process runs in `unit`.
    virtual bool inside(const std::string& unit) = 0;
};

} // namespace um
