#include "system/systemd/services.hpp"

#include "base/failure.hpp"
#include "base/termination.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <systemd/sd-login.h>
#include <thread>

namespace um {
namespace {

constexpr auto systemd = "org.freedesktop.systemd1";
constexpr auto systemd_socket = "unix:path=/run/systemd/private";
constexpr auto unit_interface = "org.freedesktop.systemd1.Unit";
constexpr auto service_interface = "org.freedesktop.systemd1.Service";
constexpr std::chrono::milliseconds poll_interval{300};
constexpr std::chrono::milliseconds long_poll_interval{1000}; // each question is work for systemd and D-Bus
/// Packages restart D-Bus and re-execute systemd. On a busy appliance it takes some time until either answers
/// again.
constexpr std::chrono::minutes absence_limit{5};
constexpr std::chrono::minutes job_limit{2};
constexpr std::uint64_t call_timeout_usec = 90'000'000;

int expect(int result, const std::string& what) {
    if (result < 0)
        throw SystemFailure(what, -result);
    return result;
}

class BusError {
public:
    BusError() = default;
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    ~BusError() { sd_bus_error_free(&error_); }
    sd_bus_error* get() { return &error_; }
    std::string text(int result) const {
        return error_.message != nullptr ? error_.message : std::strerror(-result);
    }

private:
    sd_bus_error error_ = SD_BUS_ERROR_NULL;
};

} // namespace

const SystemdServices::Object SystemdServices::systemd_manager{systemd, "/org/freedesktop/systemd1",
                                                               "org.freedesktop.systemd1.Manager"};
const SystemdServices::Object SystemdServices::logind_manager{
    "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"};

/// systemd has a socket of its own for root, and systemctl(1) uses no other. The socket exists early in the
/// boot, and also when the change has stopped D-Bus. Null if it cannot be reached, as by other users.
SystemdServices::Bus SystemdServices::connect_to_systemd() {
    sd_bus* made = nullptr;
    expect(sd_bus_new(&made), "prepare a connection to systemd");
    Bus bus(made);
    if (sd_bus_set_address(made, systemd_socket) < 0 || sd_bus_start(made) < 0)
        bus.reset();
    return bus;
}

sd_bus* SystemdServices::connection(const std::string& service) {
    const bool direct = service == systemd;
    auto& bus = direct ? systemd_bus_ : system_bus_;
    if (bus) { // an idle connection has not noticed yet that the other end is gone
        int more = 0;
        while ((more = sd_bus_process(bus.get(), nullptr)) > 0) {
        }
        if (more < 0 || sd_bus_is_open(bus.get()) <= 0)
            bus.reset();
    }
    if (!bus && direct)
        bus = connect_to_systemd();
    if (!bus) {
        sd_bus* opened = nullptr;
        expect(sd_bus_open_system(&opened), "connect to D-Bus");
        bus.reset(opened);
    }
    return bus.get();
}

SystemdServices::Message SystemdServices::new_call(const Object& object, const char* member) {
    sd_bus_message* message = nullptr;
    expect(sd_bus_message_new_method_call(connection(object.service), &message, object.service,
                                          object.path.c_str(), object.interface, member),
           fmt::format("prepare the call {}", member));
    return Message(message);
}

SystemdServices::Message SystemdServices::call(const Object& object, const char* member,
                                               const Message& request) {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int result =
        sd_bus_call(connection(object.service), request.get(), call_timeout_usec, error.get(), &reply);
    check_termination(); // a signal may have ended the call
    if (result < 0)
        throw SystemFailure(fmt::format("{}.{}: {}", object.interface, member, error.text(result)));
    return Message(reply);
}

std::string SystemdServices::unit_path(const std::string& unit) {
    const auto request = new_call(systemd_manager, "LoadUnit");
    expect(sd_bus_message_append_basic(request.get(), 's', unit.c_str()), "append a unit's name");
    const auto reply = call(systemd_manager, "LoadUnit", request);
    const char* path = nullptr;
    expect(sd_bus_message_read_basic(reply.get(), 'o', &path), "read a unit's path");
    return path;
}

SystemdServices::Message SystemdServices::property(const Object& object, const char* name, const char* type) {
    const Object properties{object.service, object.path, "org.freedesktop.DBus.Properties"};
    const auto request = new_call(properties, "Get");
    expect(sd_bus_message_append_basic(request.get(), 's', object.interface), "append an interface");
    expect(sd_bus_message_append_basic(request.get(), 's', name), "append a property");
    auto reply = call(properties, "Get", request);
    expect(sd_bus_message_enter_container(reply.get(), 'v', type), fmt::format("read the property {}", name));
    return reply;
}

std::string SystemdServices::text_property(const Object& object, const char* name) {
    const auto reply = property(object, name, "s");
    const char* text = nullptr;
    expect(sd_bus_message_read_basic(reply.get(), 's', &text), fmt::format("read the property {}", name));
    return text;
}

template <class Number>
Number SystemdServices::number_property(const Object& object, const char* name, const char* type) {
    const auto reply = property(object, name, type);
    Number number = 0;
    expect(sd_bus_message_read_basic(reply.get(), *type, &number), fmt::format("read the property {}", name));
    return number;
}

/// One question, because this is asked again and again while a unit is at work. The answer is of one instant.
UnitStatus SystemdServices::status(const std::string& unit) {
    const auto request = new_call(systemd_manager, "ListUnitsByNames");
    expect(sd_bus_message_open_container(request.get(), 'a', "s"), "append a list of units");
    expect(sd_bus_message_append_basic(request.get(), 's', unit.c_str()), "append a unit's name");
    expect(sd_bus_message_close_container(request.get()), "append a list of units");
    const auto reply = call(systemd_manager, "ListUnitsByNames", request);
    expect(sd_bus_message_enter_container(reply.get(), 'a', "(ssssssouso)"), "read a list of units");
    if (expect(sd_bus_message_enter_container(reply.get(), 'r', "ssssssouso"), "read a unit") == 0)
        throw SystemFailure(fmt::format("systemd knows no unit of the name {}", unit));
    const auto next = [&](char type) {
        const char* text = nullptr;
        expect(sd_bus_message_read_basic(reply.get(), type, &text), "read a unit");
        return std::string(text);
    };
    UnitStatus status;
    next('s'); // its own name
    next('s'); // description
    const auto load = next('s');
    status.loaded = load == "loaded";
    status.masked = load == "masked";
    status.active = next('s');
    next('s'); // substate
    next('s'); // the unit that it follows
    next('o'); // its path
    std::uint32_t job_id = 0;
    expect(sd_bus_message_read_basic(reply.get(), 'u', &job_id), "read a unit's job");
    status.job = job_id != 0;
    return status;
}

std::string SystemdServices::enablement(const std::string& unit) {
    return text_property({systemd, unit_path(unit), unit_interface}, "UnitFileState");
}

std::string SystemdServices::status_text(const std::string& service) {
    return text_property({systemd, unit_path(service), service_interface}, "StatusText");
}

/// "success", "exit-code" and so on
std::string SystemdServices::result(const std::string& service) {
    return text_property({systemd, unit_path(service), service_interface}, "Result");
}

UnitHistory SystemdServices::history(const std::string& service) {
    const Object object{systemd, unit_path(service), unit_interface};
    UnitHistory history;
    history.active_since = std::chrono::microseconds(
        number_property<std::uint64_t>(object, "ActiveEnterTimestampMonotonic", "t"));
    const std::string_view suffix = ".service";
    if (service.size() > suffix.size() &&
        service.compare(service.size() - suffix.size(), suffix.size(), suffix) == 0)
        history.restarts =
            number_property<std::uint32_t>({systemd, object.path, service_interface}, "NRestarts", "u");
    // systemd counts a restart only after its pause (RestartSec=). During the pause the state is
    // "auto-restart", and since systemd 254 also "auto-restart-queued".
    const std::string_view pause = "auto-restart";
    if (text_property(object, "SubState").compare(0, pause.size(), pause) == 0)
        ++history.restarts;
    return history;
}

std::string SystemdServices::own_name(const std::string& unit) {
    return text_property({systemd, unit_path(unit), unit_interface}, "Id");
}

/// Asks again while D-Bus or systemd is away. That is safe, because a question changes nothing.
template <class Question>
auto SystemdServices::patiently(Question question) -> decltype(question()) {
    const auto give_up = std::chrono::steady_clock::now() + absence_limit;
    for (;;) {
        try {
            return question();
        } catch (const SystemFailure&) {
            if (std::chrono::steady_clock::now() >= give_up)
                throw;
            systemd_bus_.reset();
            check_termination();
            std::this_thread::sleep_for(poll_interval);
        }
    }
}

void SystemdServices::enable(const std::string& unit) {
    const auto request = new_call(systemd_manager, "EnableUnitFiles");
    const int runtime = 0;
    const int force = 0;
    expect(sd_bus_message_open_container(request.get(), 'a', "s"), "append a list of units");
    expect(sd_bus_message_append_basic(request.get(), 's', unit.c_str()), "append a unit's name");
    expect(sd_bus_message_close_container(request.get()), "append a list of units");
    expect(sd_bus_message_append_basic(request.get(), 'b', &runtime), "append a flag");
    expect(sd_bus_message_append_basic(request.get(), 'b', &force), "append a flag");
    call(systemd_manager, "EnableUnitFiles", request);
    call(systemd_manager, "Reload", new_call(systemd_manager, "Reload"));
}

void SystemdServices::queue(const char* job, const std::string& unit, const char* mode) {
    const auto request = new_call(systemd_manager, job);
    expect(sd_bus_message_append_basic(request.get(), 's', unit.c_str()), "append a unit's name");
    expect(sd_bus_message_append_basic(request.get(), 's', mode), "append a job mode");
    call(systemd_manager, job, request);
}

UnitStatus SystemdServices::wait_for_job(const std::string& unit) {
    const auto ask = [&] { return patiently([&] { return status(unit); }); };
    auto now = ask();
    const auto give_up = std::chrono::steady_clock::now() + job_limit;
    for (; now.job; now = ask()) {
        check_termination();
        if (std::chrono::steady_clock::now() >= give_up)
            throw SystemFailure(
                fmt::format("{}: its job waits since {} s", unit, std::chrono::seconds(job_limit).count()));
        std::this_thread::sleep_for(poll_interval);
    }
    return now;
}

void SystemdServices::start(const std::string& unit) {
    queue("StartUnit", unit);
    if (const auto now = wait_for_job(unit); now.active != "active")
        throw SystemFailure(fmt::format("start {}: it is {} ({})", unit, now.active, result(unit)));
}

void SystemdServices::stop(const std::string& unit) {
    queue("StopUnit", unit);
    if (const auto now = wait_for_job(unit); now.active != "inactive" && now.active != "failed")
        throw SystemFailure(fmt::format("stop {}: it is {}", unit, now.active));
}

void SystemdServices::begin(const std::string& unit) {
    try {
        queue("StartUnit", unit);
    } catch (const SystemFailure&) { // D-Bus went away, perhaps after the start was queued
        if (!patiently([&] { return status(unit); }).running())
            throw;
    }
}

std::string SystemdServices::wait_for_end(const std::string& unit,
                                          const std::function<void(const std::string&)>& on_status) {
    // Polls, because signals are lost when D-Bus restarts or systemd re-executes.
    std::string said;
    for (;;) {
        if (!patiently([&] { return status(unit); }).running())
            return patiently([&] { return result(unit); });
        const auto text = patiently([&] { return status_text(unit); });
        if (text != said && !text.empty())
            on_status(text);
        said = text;
        check_termination();
        std::this_thread::sleep_for(long_poll_interval);
    }
}

/// Takes a lock from logind. The lock ends with its descriptor, even if this process is killed.
Fd SystemdServices::inhibit(const char* mode, const std::string& why) {
    const auto request = new_call(logind_manager, "Inhibit");
    const bool block = std::string_view(mode) == "block";
    for (const auto* word : {block ? "shutdown:sleep" : "shutdown", "um-upgrade", why.c_str(), mode})
        expect(sd_bus_message_append_basic(request.get(), 's', word), "append a word");
    const auto reply = call(logind_manager, "Inhibit", request);
    int lock = -1;
    expect(sd_bus_message_read_basic(reply.get(), 'h', &lock), "read logind's lock");
    return Fd(::fcntl(lock, F_DUPFD_CLOEXEC, 3)); // the message closes its own descriptor
}

Fd SystemdServices::inhibit_shutdown(const std::string& why) {
    return inhibit("block", why);
}

bool SystemdServices::has_logind() {
    try {
        // Early in a boot the socket of D-Bus exists, but nothing answers.
        if (status("systemd-logind.service").active != "active")
            return false;
        property(logind_manager, "PreparingForShutdown", "b");
        return true;
    } catch (const SystemFailure&) {
        return false; // ignoring: the callers can do without logind
    }
}

std::string SystemdServices::shutdown_due(std::chrono::microseconds within) {
    const auto preparing = property(logind_manager, "PreparingForShutdown", "b");
    int under_way = 0;
    expect(sd_bus_message_read_basic(preparing.get(), 'b', &under_way), "read PreparingForShutdown");
    if (under_way != 0)
        return "shutdown";
    const auto scheduled = property(logind_manager, "ScheduledShutdown", "(st)");
    const char* kind = nullptr;
    std::uint64_t when = 0; // microseconds since the epoch; one in the past failed
    expect(sd_bus_message_enter_container(scheduled.get(), 'r', "st"), "read ScheduledShutdown");
    expect(sd_bus_message_read_basic(scheduled.get(), 's', &kind), "read ScheduledShutdown");
    expect(sd_bus_message_read_basic(scheduled.get(), 't', &when), "read ScheduledShutdown");
    const auto left = std::chrono::microseconds(when) - std::chrono::system_clock::now().time_since_epoch();
    const bool dry = std::strncmp(kind, "dry-", 4) == 0; // shutdown(8) -k only warns
    return !dry && left > left.zero() && left <= within ? kind : "";
}

/// Because of the delay lock logind answers at once and starts reboot.target later. Nobody would notice that
/// systemd refuses it then, so this looks before. Throws SystemFailure.
void SystemdServices::expect_no_guard() {
    const Object target{systemd, unit_path("reboot.target"), unit_interface};
    const auto reply = property(target, "RefuseManualStart", "b");
    int refuses = 0;
    expect(sd_bus_message_read_basic(reply.get(), 'b', &refuses), "read RefuseManualStart");
    if (refuses != 0)
        throw SystemFailure("reboot.target refuses to be started; look at 'systemctl cat reboot.target', and "
                            "start um-upgrade again");
}

void SystemdServices::reboot() {
    expect_no_guard();
    if (!has_logind()) {
        queue("StartUnit", "reboot.target", "replace-irreversibly"); // as systemctl(1) does without logind
        return;
    }
    // The lock delays the shutdown, so that systemd sees the unit end well before the machine goes down.
    delay_lock_ = inhibit("delay", "the upgrade's record is being closed");
    const auto request = new_call(logind_manager, "Reboot");
    const int interactive = 0;
    expect(sd_bus_message_append_basic(request.get(), 'b', &interactive), "append a flag");
    call(logind_manager, "Reboot", request);
}

void SystemdServices::schedule_reboot(std::chrono::microseconds delay) {
    const auto now = std::chrono::system_clock::now().time_since_epoch() + delay;
    const auto when =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
    // Before systemd 251 logind sends no wall message unless it is asked to.
    const auto wall = new_call(logind_manager, "SetWallMessage");
    const int tell = 1;
    expect(sd_bus_message_append_basic(wall.get(), 's', "um-upgrade boots the appliance for its upgrade."),
           "append a text");
    expect(sd_bus_message_append_basic(wall.get(), 'b', &tell), "append a flag");
    call(logind_manager, "SetWallMessage", wall);
    const auto request = new_call(logind_manager, "ScheduleShutdown");
    expect(sd_bus_message_append_basic(request.get(), 's', "reboot"), "append a word");
    expect(sd_bus_message_append_basic(request.get(), 't', &when), "append a time");
    call(logind_manager, "ScheduleShutdown", request);
}

bool SystemdServices::inside(const std::string& unit) {
    char* text = nullptr;
    if (sd_pid_get_unit(0, &text) < 0) // in no unit: started outside systemd
        return false;
    const std::string own = text;
    std::free(text);
    return own == unit;
}

} // namespace um
