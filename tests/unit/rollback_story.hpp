#pragma once
// A story in which a failed upgrade is taken back.

#include "unit/story.hpp"

#include <filesystem>

namespace um::test {

struct Rollback : Story {
    Rollback() { config.rollback.mode = RollbackMode::automatic; }

    /// The change ends badly.
    void fail_the_change() {
        world.work = [this](const Terminal::Session&) {
            world.installed = "4.6.9.9";
            return 7;
        };
    }
    /// A boot, in which the unit runs that is early in it, if it is to run.
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
