// systemd and logind over D-Bus, with a service manager of our own, and a bus that fails.

#include "base/failure.hpp"
#include "system/systemd/services.hpp"

#include "support/fake_systemd.hpp"
#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <systemd/sd-login.h>

using namespace um;
using testing::_;
using testing::NiceMock;
using testing::Return;

using TimePoint = std::chrono::steady_clock::time_point;

namespace {

/// The adapter's clock. Tests do not wait: each look at the clock lets `step` pass.
struct Clock : test::Wrapped<Clock> {
    static int nanosleep(const timespec*, timespec*) { return 0; }
    TimePoint now() { return time += step; }

    TimePoint time{};
    std::chrono::seconds step{1};
};

struct LibsystemdMock : test::Wrapped<LibsystemdMock> {
    MOCK_METHOD(int, sd_pid_get_unit, (pid_t, char**));
    MOCK_METHOD(int, sd_bus_message_new_method_call,
                (sd_bus*, sd_bus_message**, const char*, const char*, const char*, const char*));
    MOCK_METHOD(int, sd_bus_message_append_basic, (sd_bus_message*, char, const void*));
    MOCK_METHOD(int, sd_bus_message_read_basic, (sd_bus_message*, char, void*));
    MOCK_METHOD(sd_bus_message*, sd_bus_message_unref, (sd_bus_message*));
    LibsystemdMock();
};

} // namespace

// These are the linker's names of std::chrono::steady_clock::now() and of the function behind
// std::this_thread::sleep_for().
extern "C" TimePoint __real__ZNSt6chrono3_V212steady_clock3nowEv();
extern "C" TimePoint __wrap__ZNSt6chrono3_V212steady_clock3nowEv() {
    auto* clock = Clock::alive();
    return clock != nullptr ? clock->now() : __real__ZNSt6chrono3_V212steady_clock3nowEv();
}
UM_WRAP(Clock, int, nanosleep, (const timespec* time, timespec* rest), (time, rest))
UM_WRAP(LibsystemdMock, int, sd_pid_get_unit, (pid_t pid, char** unit), (pid, unit))
UM_WRAP(LibsystemdMock, int, sd_bus_message_new_method_call,
        (sd_bus * bus, sd_bus_message** message, const char* service, const char* path, const char* interface,
         const char* member),
        (bus, message, service, path, interface, member))
UM_WRAP(LibsystemdMock, int, sd_bus_message_append_basic,
        (sd_bus_message * message, char type, const void* value), (message, type, value))
UM_WRAP(LibsystemdMock, int, sd_bus_message_read_basic, (sd_bus_message * message, char type, void* value),
        (message, type, value))
UM_WRAP(LibsystemdMock, sd_bus_message*, sd_bus_message_unref, (sd_bus_message * message), (message))

extern "C" int __real_sd_bus_open_system(sd_bus** bus);
extern "C" int __wrap_sd_bus_open_system(sd_bus** bus) {
    auto* systemd = um::test::FakeSystemd::alive();
    return systemd != nullptr ? systemd->connect(bus) : __real_sd_bus_open_system(bus);
}

extern "C" int __real_sd_bus_set_address(sd_bus* bus, const char* address);
extern "C" int __wrap_sd_bus_set_address(sd_bus* bus, const char* address) {
    auto* systemd = um::test::FakeSystemd::alive();
    return systemd != nullptr ? systemd->connect_directly(bus) : __real_sd_bus_set_address(bus, address);
}

LibsystemdMock::LibsystemdMock() {
    UM_PASS_ON(sd_bus_message_new_method_call);
    UM_PASS_ON(sd_bus_message_append_basic);
    UM_PASS_ON(sd_bus_message_read_basic);
    UM_PASS_ON(sd_bus_message_unref);
}

namespace {

const std::string unit = "org.freedesktop.systemd1.Unit ";
const std::string service = "org.freedesktop.systemd1.Service ";

class Systemd : public testing::Test {
protected:
    Systemd() { set("active", "", "success"); }

    void set(const std::string& active, const std::string& job, const std::string& result) {
        systemd.properties = {{unit + "LoadState", "loaded"},      {unit + "ActiveState", active},
                              {unit + "UnitFileState", "enabled"}, {unit + "Job", job},
                              {service + "StatusText", said},      {service + "Result", result}};
    }
    /// The bus goes down, and then so many attempts to connect fail.
    void go_away_for(int attempts) {
        systemd.cuts["ListUnitsByNames"] = 1;
        systemd.refused_connections = attempts;
    }
    std::string run_to_end(const std::string& name,
                           const std::function<void(const std::string&)>& on_status) {
        services.begin(name);
        return services.wait_for_end(name, on_status);
    }
    template <class Work>
    std::string failure_of(Work work) {
        try {
            work();
        } catch (const SystemFailure& failure) {
            return failure.what();
        }
        return "no failure";
    }

    test::FakeSystemd systemd;
    Clock clock;
    std::string said;
    SystemdServices services;
};

} // namespace

TEST_F(Systemd, TellsWhatAUnitIs) {
    said = "apply: 50 %";
    set("activating", "7", "success");
    const auto status = services.status("a.service");
    EXPECT_TRUE(status.loaded);
    EXPECT_FALSE(status.masked);
    EXPECT_EQ(status.active, "activating");
    EXPECT_TRUE(status.job);
    EXPECT_EQ(systemd.calls, (std::vector<std::string>{"ListUnitsByNames [a.service]"}));
    EXPECT_EQ(services.enablement("a.service"), "enabled");
    EXPECT_EQ(services.status_text("a.service"), "apply: 50 %");
}

TEST_F(Systemd, TellsAMaskedUnitFromAMissingOne) {
    systemd.properties[unit + "LoadState"] = "masked";
    EXPECT_TRUE(services.status("a.service").masked);
    systemd.properties[unit + "LoadState"] = "not-found";
    const auto status = services.status("a.service");
    EXPECT_FALSE(status.masked);
    EXPECT_FALSE(status.loaded);
}

TEST_F(Systemd, SaysThatAUnitCannotExist) {
    systemd.properties[unit + "LoadState"] = ""; // as systemd answers for a name that no unit can have
    EXPECT_EQ(failure_of([&] { services.status("a"); }), "systemd knows no unit of the name a");
}

TEST_F(Systemd, EnablesAUnitForGood) {
    services.enable("sshd.service");
    EXPECT_EQ(systemd.calls, (std::vector<std::string>{"EnableUnitFiles [sshd.service] no no", "Reload"}));
}

TEST_F(Systemd, StartsAUnitAndWaitsForItsJob) {
    set("inactive", "7", "success");
    systemd.hooks["ListUnitsByNames"] = [&] {
        if (systemd.calls.size() == 3)
            set("active", "", "success");
    };
    services.start("sshd.service");
    EXPECT_EQ(systemd.calls, (std::vector<std::string>{
                                 "StartUnit sshd.service replace", "ListUnitsByNames [sshd.service]",
                                 "ListUnitsByNames [sshd.service]", "ListUnitsByNames [sshd.service]"}));
}

TEST_F(Systemd, StopsAUnitAndWaitsForItsJob) {
    set("deactivating", "7", "success");
    systemd.hooks["ListUnitsByNames"] = [&] {
        if (systemd.calls.size() == 3)
            set("inactive", "", "success");
    };
    services.stop("sshd.service");
    EXPECT_EQ(systemd.calls, (std::vector<std::string>{
                                 "StopUnit sshd.service replace", "ListUnitsByNames [sshd.service]",
                                 "ListUnitsByNames [sshd.service]", "ListUnitsByNames [sshd.service]"}));
    set("active", "", "success"); // it was started again at once
    EXPECT_EQ(failure_of([&] { services.stop("sshd.service"); }), "stop sshd.service: it is active");
}

TEST_F(Systemd, TakesAJobThatEndsBetweenTwoQuestionsForEnded) {
    for (int last = 0; last < 12; ++last) {
        int questions = 0;
        set("activating", "7", "success");
        systemd.hooks["ListUnitsByNames"] = [&] {
            if (questions++ == last)
                set("active", "", "success");
        };
        EXPECT_EQ(failure_of([&] { services.start("sshd.service"); }), "no failure")
            << "after question " << last;
    }
}

TEST_F(Systemd, FailsWhenAUnitDoesNotStart) {
    set("failed", "", "exit-code");
    EXPECT_EQ(failure_of([&] { services.start("sshd.service"); }),
              "start sshd.service: it is failed (exit-code)");
}

TEST_F(Systemd, NamesWhatItWasRefused) {
    systemd.errors["StartUnit"] = "Operation refused, unit may be requested by dependency only.";
    EXPECT_EQ(
        failure_of([&] { services.start("a.service"); }),
        "org.freedesktop.systemd1.Manager.StartUnit: Operation refused, unit may be requested by dependency "
        "only.");
    systemd.errors["Reboot"] = "Access denied";
    EXPECT_EQ(failure_of([&] { services.reboot(); }), "org.freedesktop.login1.Manager.Reboot: Access denied");
}

TEST_F(Systemd, RunsAOneshotToItsEndAndHearsIt) {
    set("inactive", "", "success");
    int looks = 0;
    systemd.hooks["StartUnit"] = [&] { set("activating", "", "success"); };
    systemd.hooks["ListUnitsByNames"] = [&] {
        ++looks;
        said = "step " + std::to_string(looks / 2);
        if (looks > 1)
            set(looks > 6 ? "inactive" : "activating", "", looks > 6 ? "exit-code" : "success");
    };
    std::string heard;
    EXPECT_EQ(run_to_end("a.service", [&](const std::string& text) { heard += text + ";"; }), "exit-code");
    EXPECT_EQ(heard, "step 1;step 2;step 3;");
}

TEST_F(Systemd, WaitsForAOneshotThatRunsAlready) {
    set("activating", "", "success");
    systemd.hooks["ListUnitsByNames"] = [&] {
        if (systemd.calls.size() == 4)
            set("inactive", "", "success");
    };
    EXPECT_EQ(services.wait_for_end("a.service", [](const std::string&) {}), "success");
    for (const auto& call : systemd.calls)
        EXPECT_EQ(call.find("StartUnit"), std::string::npos) << call;
}

TEST_F(Systemd, IsAskedAgainWhenTheBusWentAway) {
    set("inactive", "", "success");
    systemd.hooks["StartUnit"] = [&] { systemd.cuts = {{"ListUnitsByNames", 1}, {"Get", 2}}; };
    EXPECT_EQ(run_to_end("a.service", [](const std::string&) {}), "success");
    EXPECT_EQ(systemd.connections, 4);
    EXPECT_EQ(std::count(systemd.calls.begin(), systemd.calls.end(), "StartUnit a.service replace"), 1);
}

TEST_F(Systemd, IsConnectedToAgainWhenTheBusIsNotThereYet) {
    set("inactive", "", "success");
    systemd.hooks["StartUnit"] = [&] { go_away_for(3); };
    EXPECT_EQ(run_to_end("a.service", [](const std::string&) {}), "success");
    EXPECT_EQ(systemd.connections, 1 + 3 + 1);
}

TEST_F(Systemd, GivesUpAfterFiveMinutesWithoutABus) {
    set("inactive", "", "success");
    systemd.hooks["StartUnit"] = [&] { go_away_for(1'000'000); };
    clock.step = std::chrono::seconds(60);
    EXPECT_EQ(failure_of([&] { run_to_end("a.service", [](const std::string&) {}); }),
              "connect to D-Bus: Connection refused");
    EXPECT_EQ(systemd.connections, 1 + 4);
}

TEST_F(Systemd, IsAskedOnceByAPersonWhoWaits) {
    systemd.refused_connections = 1;
    EXPECT_EQ(failure_of([&] { services.status("a.service"); }), "connect to D-Bus: Connection refused");
    EXPECT_EQ(systemd.connections, 1);
    EXPECT_EQ(services.status("a.service").active, "active");
}

TEST_F(Systemd, IsNotToldTwiceToDoWhatItMayHaveDone) {
    systemd.cuts["EnableUnitFiles"] = 1;
    EXPECT_NE(failure_of([&] { services.enable("a.service"); }), "no failure");
    EXPECT_EQ(systemd.connections, 1);
}

TEST_F(Systemd, RebootsUnderALockThatEndsWithTheProcess) {
    const auto before = test::open_descriptors();
    services.reboot();
    EXPECT_EQ(systemd.calls,
              (std::vector<std::string>{
                  "LoadUnit reboot.target", "ListUnitsByNames [systemd-logind.service]",
                  "Inhibit shutdown um-upgrade the upgrade's record is being closed delay", "Reboot no"}));
    EXPECT_EQ(test::open_descriptors(), before + 5); // both ends of two connections, and the lock
}

TEST_F(Systemd, TakesAUnitThatRunsForStartedWhenTheAnswerIsLost) {
    systemd.cuts["StartUnit"] = 1;
    set("activating", "", "success");
    services.begin("a.service");
    EXPECT_EQ(systemd.connections, 2);
    systemd.cuts["StartUnit"] = 1;
    set("inactive", "", "success");
    EXPECT_NE(failure_of([&] { services.begin("a.service"); }), "no failure");
}

TEST_F(Systemd, HoldsOffAShutdownAsLongAsTheLockIsHeld) {
    services.status("a.service"); // connected
    services.shutdown_due(std::chrono::minutes(5));
    const auto before = test::open_descriptors();
    {
        const auto lock = services.inhibit_shutdown("why");
        EXPECT_EQ(systemd.calls.back(), "Inhibit shutdown:sleep um-upgrade why block");
        services.status("a.service"); // the fake that answers has closed its copies of the lock
        EXPECT_EQ(test::open_descriptors(), before + 1);
    }
    EXPECT_EQ(test::open_descriptors(), before);
}

TEST_F(Systemd, TellsWhatAServiceHasBeenThrough) {
    systemd.properties[unit + "ActiveEnterTimestampMonotonic"] = "20000000000"; // more than 32 bits
    systemd.properties["org.freedesktop.systemd1.Service NRestarts"] = "3";
    EXPECT_EQ(services.history("a.service").active_since, std::chrono::seconds(20'000));
    EXPECT_EQ(services.history("a.service").restarts, 3U);
    EXPECT_EQ(services.history("a.socket").restarts, 0U); // not a service, so without such a property
    systemd.properties[unit + "SubState"] = "auto-restart";
    EXPECT_EQ(services.history("a.service").restarts, 4U); // with the one that is due
}

TEST_F(Systemd, KnowsAUnitByItsOwnName) {
    systemd.properties[unit + "Id"] = "ssh.service";
    EXPECT_EQ(services.own_name("sshd.service"), "ssh.service");
}

TEST_F(Systemd, KnowsAShutdownThatIsUnderWayOrScheduled) {
    const std::string logind = "org.freedesktop.login1.Manager ";
    const auto within = std::chrono::minutes(5);
    EXPECT_EQ(services.shutdown_due(within), "");
    systemd.properties[logind + "ScheduledShutdown"] = "reboot";
    systemd.seconds_to_shutdown = 200;
    EXPECT_EQ(services.shutdown_due(within), "reboot");
    systemd.seconds_to_shutdown = 400; // too late to matter
    EXPECT_EQ(services.shutdown_due(within), "");
    systemd.seconds_to_shutdown = -10; // it was refused then, but logind still reports it
    EXPECT_EQ(services.shutdown_due(within), "");
    systemd.properties[logind + "ScheduledShutdown"] = "dry-reboot";
    systemd.seconds_to_shutdown = 200;
    EXPECT_EQ(services.shutdown_due(within), "");
    systemd.properties[logind + "ScheduledShutdown"] = "poweroff";
    EXPECT_EQ(services.shutdown_due(within), "poweroff");
    systemd.properties[logind + "PreparingForShutdown"] = "yes";
    EXPECT_EQ(services.shutdown_due(within), "shutdown");
    systemd.errors["Get"] = "no such thing";
    EXPECT_NE(failure_of([&] { services.shutdown_due(within); }), "no failure");
}

TEST_F(Systemd, NeedsNoDBusItself) {
    systemd.has_own_socket = true;
    systemd.refused_connections = 1'000'000;
    EXPECT_EQ(services.status("a.service").active, "active");
    set("inactive", "", "success");
    systemd.hooks["StartUnit"] = [&] {
        systemd.cuts = {{"ListUnitsByNames", 1}, {"Get", 2}};
    }; // systemd re-executes
    EXPECT_EQ(run_to_end("a.service", [](const std::string&) {}), "success");
    EXPECT_EQ(systemd.direct_connections, 4);
    EXPECT_EQ(systemd.connections, 0);
    services.enable("a.service");
    services.reboot();
    EXPECT_EQ(systemd.calls.back(), "StartUnit reboot.target replace-irreversibly");
}

TEST_F(Systemd, AsksNobodyWhoIsNotThereYet) { // early in a boot D-Bus has only its socket
    systemd.has_own_socket = true;
    set("inactive", "", "success");
    services.reboot();
    EXPECT_EQ(systemd.calls.back(), "StartUnit reboot.target replace-irreversibly");
    EXPECT_EQ(systemd.connections, 0);
}

TEST_F(Systemd, IsConnectedToAgainWhenItWentAwayUnasked) {
    const auto before = test::open_descriptors();
    systemd.has_own_socket = true;
    systemd.hangs_up_after = "Get";
    services.own_name("a.service");
    while (test::open_descriptors() > before + 1) // the adapter's end is left
        std::this_thread::yield();
    systemd.hangs_up_after.clear();
    EXPECT_EQ(services.status("a.service").active, "active");
    EXPECT_EQ(systemd.direct_connections, 2);
}

TEST_F(Systemd, DoesNotRebootBehindLogindsBack) {
    systemd.errors["Reboot"] = "somebody holds it off";
    EXPECT_NE(failure_of([&] { services.reboot(); }).find("holds it off"), std::string::npos);
    EXPECT_EQ(systemd.calls.back().rfind("StartUnit", 0), std::string::npos);
}

TEST_F(Systemd, AsksForNoRebootThatTheGuardWouldRefuse) {
    systemd.properties[unit + "RefuseManualStart"] = "yes";
    EXPECT_NE(failure_of([&] { services.reboot(); }).find("reboot.target refuses"), std::string::npos);
    EXPECT_EQ(systemd.calls, (std::vector<std::string>{"LoadUnit reboot.target"}));
}

TEST_F(Systemd, SchedulesAReboot) {
    services.schedule_reboot(std::chrono::minutes(5));
    EXPECT_EQ(systemd.calls,
              (std::vector<std::string>{"SetWallMessage um-upgrade boots the appliance for its upgrade. yes",
                                        "ScheduleShutdown reboot time"}));
}

TEST_F(Systemd, LeavesNoConnectionOpen) {
    const auto before = test::open_descriptors();
    {
        SystemdServices own;
        own.status("a.service");
        systemd.errors["Reload"] = "no";
        failure_of([&] { own.enable("a.service"); });
        EXPECT_EQ(test::open_descriptors(), before + 2);
    }
    while (test::open_descriptors() > before) // the fake closes its end when it sees that
        std::this_thread::yield();
}

TEST_F(Systemd, NamesTheStepWhereLibsystemdFails) {
    {
        NiceMock<LibsystemdMock> mock;
        EXPECT_CALL(mock, sd_bus_message_new_method_call).WillOnce(Return(-ENOMEM));
        EXPECT_CALL(mock, sd_bus_message_unref).Times(0);
        EXPECT_EQ(failure_of([&] { services.enable("a.service"); }),
                  "prepare the call EnableUnitFiles: Cannot allocate memory");
    }
    NiceMock<LibsystemdMock> mock;
    EXPECT_CALL(mock, sd_bus_message_append_basic).WillOnce(Return(-ENOMEM));
    EXPECT_CALL(mock, sd_bus_message_unref).Times(1); // the request is freed
    EXPECT_EQ(failure_of([&] { services.enable("a.service"); }),
              "append a unit's name: Cannot allocate memory");
}

TEST_F(Systemd, NamesAReplyThatCannotBeRead) {
    NiceMock<LibsystemdMock> mock;
    EXPECT_CALL(mock, sd_bus_message_read_basic(_, 'h', _)).WillOnce(Return(-ENXIO));
    EXPECT_CALL(mock, sd_bus_message_unref).Times(2);
    EXPECT_EQ(failure_of([&] { services.inhibit_shutdown("why"); }),
              "read logind's lock: No such device or address");
}

TEST_F(Systemd, KnowsItsOwnUnit) {
    NiceMock<LibsystemdMock> mock;
    ON_CALL(mock, sd_pid_get_unit).WillByDefault([](pid_t pid, char** text) {
        EXPECT_EQ(pid, 0);
        *text = ::strdup("um-upgrade-apply.service");
        return 0;
    });
    EXPECT_TRUE(services.inside("um-upgrade-apply.service"));
    EXPECT_FALSE(services.inside("um-upgrade.service"));
    ON_CALL(mock, sd_pid_get_unit).WillByDefault(Return(-ENODATA));
    EXPECT_FALSE(services.inside("um-upgrade-apply.service"));
}
