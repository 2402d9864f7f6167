#pragma once
// A service manager at the other end of a socket. It speaks real D-Bus messages, so the adapter's marshalling
// is tested without a bus daemon. sd_bus_open_system() is wrapped to connect to it.

#include <systemd/sd-bus.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace um::test {

class FakeSystemd {
public:
    FakeSystemd() { alive_ = this; }
    FakeSystemd(const FakeSystemd&) = delete;
    FakeSystemd& operator=(const FakeSystemd&) = delete;
    ~FakeSystemd();
    static FakeSystemd* alive() { return alive_; }

    /// Replaces sd_bus_open_system(): makes a new connection, which a thread of its own serves.
    int connect(sd_bus** bus);
    /// Replaces sd_bus_set_address() for systemd's own socket.
    int connect_directly(sd_bus* bus);

    /// Values as text, by names such as "org.freedesktop.systemd1.Unit ActiveState". "Job" is the number of
    /// the job.
    std::map<std::string, std::string> properties;
    std::time_t seconds_to_shutdown = 0; ///< of ScheduledShutdown
    /// The error that answers a method.
    std::map<std::string, std::string> errors;
    /// How many calls of a method end because the connection is cut before the answer.
    std::map<std::string, int> cuts;
    /// Runs when a method is called, before the answer.
    std::map<std::string, std::function<void()>> hooks;
    /// Calls such as "StartUnit a.service replace", in their order. Calls of the Properties interface are
    /// left out.
    std::vector<std::string> calls;
    std::string hangs_up_after; ///< the connection ends after the answer to this method
    bool has_own_socket = false;
    int direct_connections = 0;
    int connections = 0;
    int refused_connections = 0; ///< how many connections fail first

private:
    void wire(sd_bus* bus);
    void serve(int fd);
    int answer(sd_bus_message* message);
    int answer_property(sd_bus_message* message);
    int answer_units(sd_bus_message* message);
    static int handle(sd_bus_message* message, void* self, sd_bus_error* error);

    std::vector<std::thread> threads_;
    std::atomic<bool> cut_{false};
    static inline FakeSystemd* alive_ = nullptr;
};

} // namespace um::test
