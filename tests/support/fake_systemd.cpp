#include "support/fake_systemd.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace um::test {
namespace {

struct BusCloser {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
};

void expect(int result, const char* what) {
    if (result < 0)
        throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
}

/// Every argument of the message, as text.
std::string arguments_of(sd_bus_message* message) {
    std::string text;
    char type = 0;
    const char* contents = nullptr;
    while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
        const char* word = nullptr;
        int flag = 0;
        std::uint64_t number = 0;
        if (type == 's' && sd_bus_message_read(message, "s", &word) > 0) {
            text += std::string(" ") + word;
        } else if (type == 'b' && sd_bus_message_read(message, "b", &flag) > 0) {
            text += flag != 0 ? " yes" : " no";
        } else if (type == 't' && sd_bus_message_read(message, "t", &number) > 0) {
            text += number > 0 ? " time" : " 0";
        } else if (type == 'a' && sd_bus_message_enter_container(message, 'a', "s") > 0) {
            text += " [";
            while (sd_bus_message_read(message, "s", &word) > 0)
                text += word;
            text += "]";
            sd_bus_message_exit_container(message);
        } else {
            return text + " ?";
        }
    }
    return text;
}

} // namespace

FakeSystemd::~FakeSystemd() {
    alive_ = nullptr;
    for (auto& thread : threads_)
        thread.join(); // each ends when the adapter closes its connection
}

int FakeSystemd::connect(sd_bus** bus) {
    ++connections;
    if (refused_connections > 0) {
        --refused_connections;
        return -ECONNREFUSED;
    }
    expect(sd_bus_new(bus), "sd_bus_new");
    wire(*bus);
    expect(sd_bus_negotiate_fds(*bus, 1), "sd_bus_negotiate_fds");
    expect(sd_bus_start(*bus), "sd_bus_start");
    return 0;
}

int FakeSystemd::connect_directly(sd_bus* bus) {
    if (!has_own_socket)
        return -ENOENT;
    ++direct_connections;
    wire(bus);
    return 0;
}

void FakeSystemd::wire(sd_bus* bus) {
    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), "socketpair");
    threads_.emplace_back([this, fd = ends[1]] { serve(fd); });
    expect(sd_bus_set_fd(bus, ends[0], ends[0]), "sd_bus_set_fd");
}

void FakeSystemd::serve(int fd) {
    sd_bus* made = nullptr;
    expect(sd_bus_new(&made), "sd_bus_new");
    const std::unique_ptr<sd_bus, BusCloser> bus(made);
    sd_id128_t id{};
    id.bytes[0] = 1;
    expect(sd_bus_set_fd(made, fd, fd), "sd_bus_set_fd");
    expect(sd_bus_set_server(made, 1, id), "sd_bus_set_server");
    expect(sd_bus_set_anonymous(made, 1), "sd_bus_set_anonymous");
    expect(sd_bus_negotiate_fds(made, 1), "sd_bus_negotiate_fds");
    expect(sd_bus_add_filter(made, nullptr, handle, this), "sd_bus_add_filter");
    expect(sd_bus_start(made), "sd_bus_start");
    for (;;) {
        const int done = sd_bus_process(made, nullptr);
        if (done < 0 || cut_.exchange(false))
            return;
        if (done == 0 && sd_bus_wait(made, UINT64_MAX) < 0)
            return;
    }
}

int FakeSystemd::handle(sd_bus_message* message, void* self, sd_bus_error*) {
    std::uint8_t type = 0;
    if (sd_bus_message_get_type(message, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
        return 0;
    auto* systemd = static_cast<FakeSystemd*>(self);
    const int result = systemd->answer(message);
    if (sd_bus_message_get_member(message) == systemd->hangs_up_after)
        systemd->cut_ = true;
    return result < 0 ? result : 1;
}

int FakeSystemd::answer_property(sd_bus_message* message) {
    const char* interface = nullptr;
    const char* name = nullptr;
    if (const int result = sd_bus_message_read(message, "ss", &interface, &name); result < 0)
        return result;
    const auto value = properties[std::string(interface) + " " + name];
    if (std::strcmp(name, "ActiveEnterTimestampMonotonic") == 0)
        return sd_bus_reply_method_return(message, "v", "t", std::strtoull(value.c_str(), nullptr, 10));
    if (std::strcmp(name, "NRestarts") == 0)
        return sd_bus_reply_method_return(
            message, "v", "u", static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10)));
    if (std::strcmp(name, "PreparingForShutdown") == 0 || std::strcmp(name, "RefuseManualStart") == 0)
        return sd_bus_reply_method_return(message, "v", "b", value.empty() ? 0 : 1);
    if (std::strcmp(name, "ScheduledShutdown") == 0)
        return sd_bus_reply_method_return(
            message, "v", "(st)", value.c_str(),
            static_cast<std::uint64_t>((std::time(nullptr) + seconds_to_shutdown) * 1'000'000));
    return sd_bus_reply_method_return(message, "v", "s", value.c_str());
}

int FakeSystemd::answer_units(sd_bus_message* message) {
    const std::string interface = "org.freedesktop.systemd1.Unit ";
    const auto load = properties[interface + "LoadState"];
    if (load.empty())
        return sd_bus_reply_method_return(message, "a(ssssssouso)", 0);
    return sd_bus_reply_method_return(message, "a(ssssssouso)", 1, "own.name", "", load.c_str(),
                                      properties[interface + "ActiveState"].c_str(), "", "", "/unit",
                                      properties[interface + "Job"].empty() ? 0U : 7U, "", "/job");
}

int FakeSystemd::answer(sd_bus_message* message) {
    const std::string member = sd_bus_message_get_member(message);
    if (const auto cut = cuts.find(member); cut != cuts.end() && cut->second > 0) {
        --cut->second;
        cut_ = true;
        return 0;
    }
    if (const auto hook = hooks.find(member); hook != hooks.end())
        hook->second();
    if (const auto error = errors.find(member); error != errors.end())
        return sd_bus_reply_method_errorf(message, "org.freedesktop.systemd1.Refused", "%s",
                                          error->second.c_str());
    if (member == "Get")
        return answer_property(message);
    calls.push_back(member + arguments_of(message));
    if (member == "ListUnitsByNames")
        return answer_units(message);
    if (member == "LoadUnit")
        return sd_bus_reply_method_return(message, "o", "/unit");
    if (member == "StartUnit" || member == "StopUnit")
        return sd_bus_reply_method_return(message, "o", "/job");
    if (member == "EnableUnitFiles")
        return sd_bus_reply_method_return(message, "ba(sss)", 1, 0);
    if (member == "Inhibit") {
        const int lock = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        const int result = sd_bus_reply_method_return(message, "h", lock);
        ::close(lock);
        return result;
    }
    return sd_bus_reply_method_return(message, "");
}

} // namespace um::test
