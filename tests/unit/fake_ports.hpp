#pragma once
// A world for the upgrade: an appliance, its media and its service manager, as plain values behind the ports.
// The world outlives a crash of the agent, as the machine outlives a process.

#include "change/change.hpp"
#include "checks/product.hpp"
#include "procedure/abandon.hpp"
#include "procedure/check.hpp"
#include "procedure/ending.hpp"
#include "procedure/resume.hpp"
#include "rollback/rollback.hpp"
#include "support/fake_journal.hpp"
#include "support/scratch.hpp"
#include "upgrade/snapshot.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace um::test {

/// Acts as kill -9: the agent does not catch it and cleans nothing up.
struct Crash {};

/// What happens to the agent at a call.
enum class Fate { crash, power_cut, system_failure };

inline const std::string iso_name = "Usage_Meter_Agent-4.7.0.0-21234567_Upgrade.iso";
inline const std::string iso_path = "/media/" + iso_name;
inline const std::string stem = "/media/Usage_Meter_Agent-4.7.0.0-21234567_Upgrade";
inline const std::string sha256(64, 'b');
inline const std::string mount_point = "/mnt/upgrade";
inline const std::string status_script = "/opt/status.sh";

struct FakeUnit : UnitStatus {
    FakeUnit(UnitStatus status = {}, std::string now = {})
        : UnitStatus(std::move(status)), enablement(std::move(now)) {}
    std::string enablement; ///< as in systemd's UnitFileState
    std::string result = "success";
};

struct World {
    // the appliance
    std::string installed = "4.6.0.1";
    std::string boot = "boot-1";
    std::chrono::seconds clock{1'800'000'000};
    long looks = 0; ///< how often the clock was read
    std::chrono::microseconds uptime{std::chrono::hours(1)};
    std::uint64_t free_space = 100ULL << 30;
    std::string status_report = "journal: Running\nlogin: Running\n";
    std::map<std::string, FakeUnit> units;
    std::string host_name = "um.example.test";
    std::optional<CertificateNames> certificate{{{"um.example.test"}, {"um.example.test"}}};
    std::map<std::string, UnitHistory> histories;
    std::map<std::string, std::string> aliases;
    std::map<std::string, std::vector<AdminCheck>> checks; ///< by directory
    std::map<std::string, std::string> logs;               ///< path and text
    std::map<std::string, std::string> inodes;             ///< by path; without one the path is the id
    std::map<std::string, CommandResult> programs;         ///< other programs, and their results
    // the media
    std::set<std::string> paths{iso_path};
    std::map<std::string, std::string> sidecars{{stem + ".mf", sha256 + "  " + iso_name + "\n"},
                                                {stem + ".crt", "a certificate"},
                                                {stem + ".sign", "a signature"}};
    std::string script = "upgrade-um.sh";
    std::string obsoleted;                      ///< names that the media obsolete: lines "Oname"
    std::string shutdown_due;                   ///< its kind; empty: none
    bool awaits_input = false;                  ///< a process reads what is typed
    bool reads_keys = false;                    ///< and it reads key by key
    std::string damage;                         ///< of the rpm database, in rpm's words
    std::deque<CommandResult> verified;         ///< answers of rpm -Va; after them all is well
    std::string lock_holder;                    ///< of the rpm database; empty: none
    std::map<std::string, std::uint64_t> files; ///< their sizes, by path
    std::optional<std::uint64_t> mounted;       ///< st_dev of what is on the mount point
    // the script: what it does on its terminal, and its exit status
    std::function<int(const Terminal::Session&)> work;
    // the kept files
    std::map<std::string, std::string> kept; ///< the version, by id
    std::uint64_t kept_size = 1 << 20;
    std::vector<std::string> unkept;
    std::vector<std::string> torn;
    std::vector<std::string> differences;
    std::vector<std::string> set_aside;
    std::string keeping_place; ///< the directory for notes beside the kept files
    // what happens at calls of the ports
    std::map<std::string, Fate> fates;
    std::map<std::string, Failure> failures;
    std::map<std::string, std::function<void()>> hooks; ///< run at each such call
    std::vector<std::string> calls;
    bool in_unit = false; ///< the running process is that of the apply unit
    bool crashed = false; ///< the agent is dead, so its destructors do nothing
    unsigned ids = 0;

    World() {
        for (const auto* unit : {"sshd.service", "vmware-um-login.service", "vmware-um-journal.service"})
            units[unit] = {{true, false, "active"}, "enabled"};
        units[verify_unit] = {{true, false, "inactive"}, "enabled"};
        units[rollback_unit] = {{true, false, "inactive"}, "enabled"};
        units[apply_unit] = {{true, false, "inactive"}, "static"};
        work = [this](const Terminal::Session&) {
            installed = "4.7.0.0";
            return 0;
        };
    }

    CommandResult verify_packages() {
        if (verified.empty())
            return {};
        auto result = std::move(verified.front());
        verified.pop_front();
        return result;
    }

    /// Every call of a port comes through here.
    void call(const std::string& what) {
        calls.push_back(what);
        if (const auto hook = hooks.find(what); hook != hooks.end())
            hook->second();
        if (const auto failure = failures.find(what); failure != failures.end())
            throw failure->second;
        const auto fate = fates.extract(what); // a fate happens once
        if (!fate)
            return;
        if (fate.mapped() == Fate::system_failure)
            throw SystemFailure(what, EIO);
        if (fate.mapped() == Fate::power_cut)
            reboot();
        crashed = true;
        throw Crash{};
    }

    void reboot() {
        boot = "boot-" + std::to_string(++boots_);
        mounted.reset();
    }
    long count(const std::string& what) const { return std::count(calls.begin(), calls.end(), what); }
    bool called(const std::string& what) const { return count(what) > 0; }

private:
    unsigned boots_ = 1;
};

class FakeMedia final : public MediaDirectory {
public:
    explicit FakeMedia(World& world) : world_(world) {}
    std::vector<std::string> matches(const std::string& pattern) override {
        world_.call("matches " + pattern);
        const auto star = pattern.find('*');
        std::vector<std::string> found;
        for (const auto& path : all())
            if (path == pattern ||
                (star != std::string::npos && path.rfind(pattern.substr(0, star), 0) == 0 &&
                 path.substr(path.rfind('.')) == pattern.substr(pattern.rfind('.'))))
                found.push_back(path);
        return found;
    }
    OpenMedia open(const std::string& path) override {
        world_.call("open");
        OpenMedia media;
        media.path = path;
        media.size = 550ULL << 20;
        return media;
    }
    std::optional<std::string> read_sidecar(const std::string& path) override {
        world_.call("read " + path.substr(path.rfind('.')));
        const auto found = world_.sidecars.find(path);
        return found == world_.sidecars.end() ? std::nullopt : std::optional(found->second);
    }
    void expect_unchanged(const OpenMedia&) override { world_.call("expect_unchanged"); }

private:
    std::set<std::string> all() const {
        auto paths = world_.paths;
        for (const auto& [path, text] : world_.sidecars)
            paths.insert(path);
        return paths;
    }
    World& world_;
};

class FakeCrypto final : public Crypto {
public:
    explicit FakeCrypto(World& world) : world_(world) {}
    Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                   const OnProgress& on_progress) override {
        world_.call("digest");
        world_.uptime += std::chrono::seconds(1);
        on_progress(media.size / 2, media.size);
        Digests digests;
        for (const auto algorithm : algorithms)
            digests[algorithm] = algorithm == DigestAlgorithm::sha1 ? std::string(40, 'a') : sha256;
        return digests;
    }
    CertificateVerdict judge_certificate(const std::string&, const TrustPolicy&) override {
        world_.call("judge_certificate");
        return {Signer{"CN=Vendor", std::string(64, 'c'), "", ""}, findings};
    }
    DigestAlgorithm verify_signature(const std::string&, const std::string&, const std::string&,
                                     const TrustPolicy&) override {
        world_.call("verify_signature");
        return DigestAlgorithm::sha256;
    }

    CertificateNames certificate_names(const std::string& where, const std::string&) override {
        world_.call("certificate_names " + where);
        if (!world_.certificate)
            throw SystemFailure("connect to localhost:443", ECONNREFUSED);
        return *world_.certificate;
    }

    std::vector<Finding> findings;

private:
    World& world_;
};

class FakeMounts final : public Mounts {
public:
    explicit FakeMounts(World& world) : world_(world) {}
    std::unique_ptr<Mounted> mount(const OpenMedia&, const std::string&) override {
        world_.call("mount");
        world_.mounted = 1792;
        return std::make_unique<FakeMounted>(world_);
    }
    bool clear(const std::string&) override {
        world_.call("clear");
        return std::exchange(world_.mounted, std::nullopt).has_value();
    }
    std::unique_ptr<Mounted> adopt(const std::string&) override {
        world_.call("adopt");
        return world_.mounted ? std::make_unique<FakeMounted>(world_) : nullptr;
    }
    std::optional<std::uint64_t> device_at(const std::string&) override { return world_.mounted; }

private:
    class FakeMounted final : public Mounted {
    public:
        explicit FakeMounted(World& world) : world_(world) {}
        ~FakeMounted() override {
            if (!left_ && !world_.crashed)
                world_.mounted.reset();
        }
        std::uint64_t device() const override { return world_.mounted.value_or(0); }
        void leave() override { left_ = true; }

    private:
        World& world_;
        bool left_ = false;
    };
    World& world_;
};

class FakeServices final : public Services {
public:
    /// `apply_process`: what the process of the apply unit does.
    FakeServices(World& world, std::function<void()> apply_process)
        : world_(world), apply_process_(std::move(apply_process)) {}

    UnitStatus status(const std::string& unit) override {
        world_.call("status " + unit);
        return world_.units[unit];
    }
    std::string enablement(const std::string& unit) override { return world_.units[unit].enablement; }
    std::string status_text(const std::string&) override { return {}; }
    UnitHistory history(const std::string& unit) override { return world_.histories[unit]; }
    std::string own_name(const std::string& unit) override {
        const auto found = world_.aliases.find(unit);
        return found == world_.aliases.end() ? unit : found->second;
    }
    void enable(const std::string& unit) override {
        world_.call("enable " + unit);
        world_.units[unit].enablement = "enabled";
    }
    void start(const std::string& unit) override {
        world_.call("start " + unit);
        world_.units[unit].active = "active";
    }
    void stop(const std::string& unit) override {
        world_.call("stop " + unit);
        world_.units[unit].active = "inactive";
    }
    void begin(const std::string& unit) override {
        world_.call("begin");
        world_.units[unit].job = true;
    }
    std::string wait_for_end(const std::string& unit,
                             const std::function<void(const std::string&)>& on_status) override {
        world_.call("wait");
        auto& status = world_.units[unit];
        if (!status.running())
            return status.result;
        status.job = false;
        on_status("apply: at work");
        world_.in_unit = true;
        try {
            apply_process_();
            status.result = "success";
        } catch (const Crash&) {
            status.result = "signal"; // the agent lives, unless the power was cut
        } catch (const std::exception&) {
            status.result = "exit-code";
        }
        world_.in_unit = false;
        if (world_.crashed && world_.boot != boot_)
            throw Crash{};
        world_.crashed = false;
        world_.call("wait returns");
        return status.result;
    }
    Fd inhibit_shutdown(const std::string&) override {
        world_.call("inhibit_shutdown");
        return Fd();
    }
    std::string shutdown_due(std::chrono::microseconds) override {
        world_.call("shutdown_due");
        return world_.shutdown_due;
    }
    void reboot() override { world_.call("reboot"); }
    void schedule_reboot(std::chrono::microseconds) override { world_.call("schedule_reboot"); }
    bool inside(const std::string& unit) override { return world_.in_unit && unit == apply_unit; }

private:
    World& world_;
    std::function<void()> apply_process_;
    std::string boot_ = world_.boot;
};

class FakeAppliance : public Appliance {
public:
    explicit FakeAppliance(World& world) : world_(world) {}
    CommandResult run(const std::vector<std::string>& command, const std::string& user,
                      std::chrono::seconds) override {
        world_.call("run " + command.at(0) + (user.empty() ? "" : " as " + user));
        if (command.at(0) == "rpm" && command.at(1) == "--verifydb")
            return {world_.damage.empty() ? 0 : 1, "", false, world_.damage};
        if (command.at(0) == "rpm" && command.at(1) == "-Va")
            return world_.verify_packages();
        if (command.at(0) == "rpm" && command.at(1) == "--eval")
            return {0, "/var/lib/rpm\n", false};
        if (command.at(0) == "rpm" && command.at(1) == "-qp")
            return {0, "Npackage|0|1|1|noarch\n" + world_.obsoleted, false};
        if (command.at(0) == "rpm" && command.at(1) == "-qa")
            return {0, "package|0|1|1|noarch\n", false}; // the package of the media is installed already
        if (command.at(0) == "rpm")
            return world_.installed.empty() ? CommandResult{1, "package is not installed\n", false}
                                            : CommandResult{0, world_.installed, false};
        if (command.at(0) == "/bin/bash" && command.at(1) == status_script)
            return {0, world_.status_report, false};
        if (const auto program = world_.programs.find(command.at(0)); program != world_.programs.end())
            return program->second;
        return {0, "", false};
    }
    bool directory_exists(const std::string& path) override {
        return path == product_directory || path == "/var" || path == "/lib/modules/5.0-old";
    }
    bool is_plain_file(const std::string& path) override {
        return world_.mounted && path == mount_point + "/" + world_.script;
    }
    bool program_exists(const std::string& name) override {
        return name == "dnf" || world_.programs.count(name) > 0;
    }
    Space space(const std::string& path) override {
        world_.call("space " + path);
        return {1, world_.free_space, UINT64_MAX};
    }
    std::vector<AdminCheck> admin_checks(const std::string& directory) override {
        return world_.checks[directory];
    }
    std::vector<LogFile> files_below(const std::string& directory) override {
        std::vector<LogFile> found;
        for (const auto& [path, text] : world_.logs)
            if (path.rfind(directory, 0) == 0)
                found.push_back(
                    {path, text.size(), now(), world_.inodes.count(path) > 0 ? world_.inodes[path] : path});
        return found;
    }
    bool file_holds(const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::string& text) override {
        return world_.logs[path].substr(0, to).find(text, from) != std::string::npos;
    }
    std::vector<std::string> host_names() override { return {world_.host_name}; }
    std::string boot_id() override { return world_.boot; }
    void sync() override { world_.call("sync"); }
    void flush_journal() noexcept override {
        world_.calls.emplace_back("flush_journal");
        if (const auto hook = world_.hooks.find("flush_journal"); hook != world_.hooks.end())
            hook->second();
    }
    std::optional<std::uint64_t> file_size(const std::string& path) override {
        const auto found = world_.files.find(path);
        return found == world_.files.end() ? std::nullopt : std::optional(found->second);
    }
    std::string kernel_release() override { return "5.0-old"; }
    std::optional<std::string> lock_holder(const std::string&) override {
        return world_.lock_holder.empty() ? std::nullopt : std::optional(world_.lock_holder);
    }
    std::chrono::system_clock::time_point now() override {
        // Two looks at the clock never see the same time.
        return std::chrono::system_clock::time_point(world_.clock) +
               std::chrono::microseconds(++world_.looks);
    }
    std::chrono::microseconds uptime() override { return world_.uptime += std::chrono::milliseconds(1); }
    void sleep(std::chrono::milliseconds time) override {
        world_.call("sleep");
        world_.uptime += time;
    }
    std::string new_id() override { return "id-" + std::to_string(++world_.ids); }
    std::string operator_name() override { return "alice"; }

private:
    World& world_;
};

class FakeTerminal final : public Terminal {
public:
    explicit FakeTerminal(World& world) : world_(world) {}
    int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
            const Session& session) override {
        world_.call("script");
        last_command = command;
        last_environment = environment;
        return world_.work(session);
    }
    bool awaits_input() override { return world_.awaits_input; }
    bool reads_keys() override { return world_.reads_keys; }

    std::vector<std::string> last_command;
    std::vector<std::string> last_environment;

private:
    World& world_;
};

/// Keeps the old system as its version alone. What it keeps is always whole.
class FakeKeeper final : public Keeper {
public:
    explicit FakeKeeper(World& world) : world_(world) {}
    KeepCost cost(const KeepScope&) override {
        world_.call("cost");
        return {{{"/", world_.kept_size, 10}}, 3, 2, world_.kept_size, world_.unkept};
    }
    KeepCost keep(const std::string& id, const KeepScope& scope,
                  const Around& with_product_stopped) override {
        world_.call("keep");
        if (!scope.data.empty())
            with_product_stopped([&] { world_.call("copy data"); });
        world_.kept[id] = world_.installed;
        return {{}, 3, 2, world_.kept_size, {}, world_.torn};
    }
    std::vector<std::string> kept() override {
        std::vector<std::string> ids;
        for (const auto& [id, version] : world_.kept)
            ids.push_back(id);
        return ids;
    }
    void make_room(const std::string&) override { world_.call("make_room"); }
    RollbackResult roll_back(const std::string& id, const std::vector<std::string>&) override {
        world_.call("roll_back");
        world_.installed = world_.kept.at(id);
        return {1, world_.set_aside.size(), world_.differences};
    }
    std::vector<std::string> all() override { return kept(); }
    void discard(const std::string& id, Added) override {
        world_.call("discard");
        world_.kept.erase(id);
    }
    std::vector<std::string> set_aside(const std::string&) override { return world_.set_aside; }
    std::string directory(const std::string& id) override { return world_.keeping_place + "/" + id; }

private:
    World& world_;
};

} // namespace um::test
