#pragma once
// A service manager at the other end of a socket: it speaks real D-Bus messages, so the adapter's marshalling
// is put to the test, without a bus daemon. sd_bus_open_system() is wrapped to connect to it.

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

    /// What sd_bus_open_system() does: a new connection, served by a thread of its own.
    int connect(sd_bus** bus);
    /// What sd_bus_set_address() does, of systemd's own socket.
    int connect_directly(sd_bus* bus);

    /// "org.freedesktop.systemd1.Unit ActiveState" and so on; texts. "Job" is the job's number.
    std::map<std::string, std::string> properties;
    std::time_t seconds_to_shutdown = 0; ///< of ScheduledShutdown
    /// The error that a method is answered with.
    std::map<std::string, std::string> errors;
    /// How many calls of a method end with the connection cut before an answer.
    std::map<std::string, int> cuts;
    /// Runs when a method is called, before it is answered.
    std::map<std::string, std::function<void()>> hooks;
    /// "StartUnit a.service replace", in their order; those of the Properties interface are left out.
    std::vector<std::string> calls;
    std::string hangs_up_after; ///< the connection ends when a call of this method was answered
    bool has_own_socket = false;
    int direct_connections = 0;
    int connections = 0;
    int refused_connections = 0; ///< so many first ones fail

private:
    void wire(sd_bus* bus);
    void serve(int fd);
    int answer(sd_bus_message* message);
    int answer_property(sd_bus_message* message);
    static int handle(sd_bus_message* message, void* self, sd_bus_error* error);

    std::vector<std::thread> threads_;
    std::atomic<bool> cut_{false};
    static inline FakeSystemd* alive_ = nullptr;
};

} // namespace um::test
