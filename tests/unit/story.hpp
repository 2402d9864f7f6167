#pragma once
// The fixture for tests of the procedure: a world, and an agent that a test can start on it any number of
// times. Each start acts as a new process. Only the state directory and the world remain.

#include "unit/fake_ports.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <unistd.h>

namespace um::test {

struct Story : testing::Test {
    Story() {
        ::setenv("JOURNAL_STREAM", journal_stream(STDOUT_FILENO).c_str(),
                 1); // as under systemd, so the console stays silent
        config.media.search = {"/media/*.iso", "/dev/cdrom"};
        config.media.mount_point = mount_point;
        config.verify.status_command = status_script;
        config.rollback.mode = RollbackMode::off; // rollback has tests of its own
        world.keeping_place = scratch / "kept";
        config.log.file = scratch / "logs/um-upgrade.log";
        confirm_snapshot("4.6.0.1");
    }
    ~Story() override { ::unsetenv("JOURNAL_STREAM"); }

    void confirm_snapshot(const std::string& version) {
        const auto now = std::chrono::system_clock::time_point(world.clock);
        save_confirmation(confirmation(), {"before", "alice", version, now, now + std::chrono::hours(24)});
    }

    /// Media with packages and without a script.
    void bring_packages() {
        world.script = "none";
        world.paths.insert(repository_metadata);
        world.paths.insert(mount_point + "/repo/package.rpm");
    }

    template <class Work>
    auto started(Work work) {
        FakeMedia media(world);
        FakeMounts mounts(world);
        FakeServices services(world, [this] { apply(); });
        FakeAppliance appliance(world);
        FakeKeeper keeper(world);
        Ports ports{media, crypto, mounts, services, appliance, terminal, journal, keeper};
        Console console;
        Audit audit(journal, console);
        const auto kept = store();
        Job job{config, ports, audit, console, kept, confirmation(), only_media, false};
        return work(job);
    }

    ExitCode run() { return started(run_procedure); }
    ExitCode verify() { return started(continue_after_boot); }
    ExitCode apply() { return started(apply_change); }
    CheckResult check() { return started(check_procedure); }
    /// What um-upgrade-rollback.service does early in a boot. Afterwards the machine reboots.
    ExitCode roll_back() { return started(um::roll_back); }
    ExitCode rollback(const std::string& why) {
        return started([&](Job& job) { return close(job, roll_back_by_hand(job, why)); });
    }
    void abandon(const std::string& why) {
        started([&](Job& job) { abandon_upgrade(job, why); });
    }
    /// Starts the agent, which dies at the fate that was set. The power may be cut as well.
    void run_and_crash() {
        EXPECT_THROW(run(), Crash);
        world.crashed = false;
    }
    /// Makes the change and boots.
    void upgrade() {
        EXPECT_EQ(run(), ExitCode::done);
        world.reboot();
    }

    /// Puts the old version back, for another upgrade. Clears the journal.
    void install_again() {
        world.installed = "4.6.0.1";
        journal.entries.clear();
    }

    /// Every file that the agent has written, with its content.
    std::map<std::string, std::string> files() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch.path()))
            found[entry.path().string()] = entry.is_regular_file() ? text_of(entry.path().string()) : "";
        return found;
    }
    State state() const { return store().load().value(); }
    bool recorded() const { return store().load().has_value(); }
    std::size_t closed() const { return store().closed().size(); }
    StateFile store() const { return StateFile(scratch / "state"); }
    std::string confirmation() const { return scratch / "snapshot.ini"; }

    /// Events in the journal since the last call: "stage-started:mount refused:preflight:space.insufficient
    /// …".
    std::string events() {
        std::string text;
        for (const auto& entry : journal.entries) {
            if (field(entry, "UM_EVENT").empty())
                continue;
            text += (text.empty() ? "" : " ") + field(entry, "UM_EVENT");
            for (const auto* name : {"UM_STAGE", "UM_OUTCOME", "UM_REASON"})
                if (const auto value = field(entry, name); !value.empty())
                    text += ":" + value;
        }
        journal.entries.clear();
        return text;
    }

    const std::string repository_metadata = mount_point + "/repo/repodata/repomd.xml";
    Scratch scratch;
    Config config;
    World world;
    FakeJournal journal;
    FakeCrypto crypto{world};
    FakeTerminal terminal{world};
    std::string only_media;
};

} // namespace um::test
