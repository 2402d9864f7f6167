#pragma once

#include "ports/services.hpp"

#include <systemd/sd-bus.h>

namespace um {

/// Uses the D-Bus interfaces of systemd and logind, org.freedesktop.systemd1(5) and
/// org.freedesktop.login1(5). Connections are made when they are needed, and again after D-Bus was restarted
/// or systemd re-executed. The connection to systemd is direct, so D-Bus may be away. Without logind no
/// shutdown can be held off or scheduled.
class SystemdServices final : public Services {
public:
    UnitStatus status(const std::string& unit) override;
    std::string enablement(const std::string& unit) override;
    std::string status_text(const std::string& service) override;
    UnitHistory history(const std::string& service) override;
    std::string own_name(const std::string& unit) override;
    void enable(const std::string& unit) override;
    void start(const std::string& unit) override;
    void stop(const std::string& unit) override;
    void begin(const std::string& unit) override;
    std::string wait_for_end(const std::string& unit,
                             const std::function<void(const std::string&)>& on_status) override;
    Fd inhibit_shutdown(const std::string& why) override;
    std::string shutdown_due(std::chrono::microseconds within) override;
    void reboot() override;
    void schedule_reboot(std::chrono::microseconds delay) override;
    bool inside(const std::string& unit) override;

private:
    using Bus = Handle<sd_bus, sd_bus_flush_close_unref>;
    using Message = Handle<sd_bus_message, sd_bus_message_unref>;
    struct Object {
        const char* service;
        std::string path;
        const char* interface;
    };
    static const Object systemd_manager;
    static const Object logind_manager;

    static Bus connect_to_systemd();
    sd_bus* connection(const std::string& service);
    Message new_call(const Object& object, const char* member);
    Message call(const Object& object, const char* member, const Message& request);
    void queue(const char* job, const std::string& unit, const char* mode = "replace");
    UnitStatus wait_for_job(const std::string& unit);
    std::string unit_path(const std::string& unit);
    Message property(const Object& object, const char* name, const char* type);
    std::string text_property(const Object& object, const char* name);
    template <class Number>
    Number number_property(const Object& object, const char* name, const char* type);
    std::string result(const std::string& service);
    template <class Question>
    auto patiently(Question question) -> decltype(question());
    void expect_no_guard();
    bool has_logind();
    Fd inhibit(const char* mode, const std::string& why);

    Bus systemd_bus_;
    Bus system_bus_;
    Fd delay_lock_; ///< logind delays the reboot until it is closed
};

} // namespace um
