#pragma once
// The fixture for upgrades that fail and are rolled back.

#include "unit/story.hpp"

#include <filesystem>

namespace um::test {

struct Rollback : Story {
    Rollback() { config.rollback.mode = RollbackMode::automatic; }

    /// Makes the change fail after it has installed another version.
    void fail_the_change() {
        world.work = [this](const Terminal::Session&) {
            world.installed = "4.6.9.9";
            return 7;
        };
    }
    /// Boots. If a rollback is due, its unit runs early in the boot and reboots once more.
    void boot() {
        world.reboot();
        if (!std::filesystem::exists(flag()))
            return;
        roll_back();
        world.reboot();
    }
    std::string flag() const { return scratch / "state/rollback-due"; }
};

} // namespace um::test
