#pragma once
// systemd and logind.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include "base/fd.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace um {

struct UnitStatus {
    bool loaded = false;
    bool masked = false;
    std::string active;      ///< "active", "activating", "inactive", "failed" …
    std::string enablement;  ///< "enabled", "disabled", "static" …
    std::string status_text; ///< what the unit said with STATUS=
    std::string result;      ///< of a service: "success", "exit-code" …
    bool job = false;        ///< a start or stop of it is queued or under way
    /// At work, or about to be.
    bool running() const {
        return job || active == "activating" || active == "active" || active == "deactivating";
    }
};

/// What a service has been through in this boot.
struct UnitHistory {
    unsigned restarts = 0; ///< how often systemd started it again by itself, or is about to
    std::chrono::microseconds active_since{}; ///< on Appliance::uptime()'s clock
};

/// systemd and logind over D-Bus.
class Services {
public:
    virtual ~Services() = default;
    virtual UnitStatus status(const std::string& unit) = 0;
    virtual UnitHistory history(const std::string& service) = 0;
    /// What the unit is called itself: other than `unit` where that is an alias.
    virtual std::string own_name(const std::string& unit) = 0;
    virtual void enable(const std::string& unit) = 0;
    /// Starts the unit and waits for the job. Throws SystemFailure when it fails.
    virtual void start(const std::string& unit) = 0;
    /// Stops the unit and waits for the job. Throws SystemFailure when it fails.
    virtual void stop(const std::string& unit) = 0;
    /// Asks for the start of a oneshot unit and waits for nothing.
    virtual void begin(const std::string& unit) = 0;
    /// Waits, however long, for a oneshot unit's end; `on_status` hears what the unit says of itself.
    /// Survives a restart of D-Bus or systemd. Returns the unit's result.
    virtual std::string wait_for_end(const std::string& unit,
                                     const std::function<void(const std::string&)>& on_status) = 0;
    /// While the descriptor is open, logind refuses to shut down, to reboot and to sleep to whom it can;
    /// `why` is what it tells them. Root's reboot passes before systemd 257.
    virtual Fd inhibit_shutdown(const std::string& why) = 0;
    /// "shutdown" when one is under way; "reboot", "poweroff" … when it is scheduled `within` this time from
    /// now; else empty.
    virtual std::string shutdown_due(std::chrono::microseconds within) = 0;
    /// Asks logind for a reboot that begins when this process ends; where logind is not there, systemd for
    /// one that begins at once.
    virtual void reboot() = 0;
    /// A reboot with a wall message, `delay` from now.
    virtual void schedule_reboot(std::chrono::microseconds delay) = 0;
    /// Whether this process runs in `unit`.
    virtual bool inside(const std::string& unit) = 0;
};

} // namespace um
