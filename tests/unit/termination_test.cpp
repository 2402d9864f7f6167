// The agent is asked to stop in every stage. The whole process remembers a signal, so each test sends it in a
// process of its own.

#include "unit/story.hpp"

#include "base/termination.hpp"

#include <csignal>

using namespace um;
using namespace um::test;

using Terminating = Story;

TEST_F(Terminating, ClosesAnUpgradeThatChangedNothing) {
    world.hooks["digest"] = [] { std::raise(SIGTERM); };
    const auto end = [&] {
        catch_termination();
        try {
            run();
        } catch (const Terminated& terminated) {
            const bool right = terminated.signal == SIGTERM && state().outcome == Outcome::failed &&
                               state().reason == Reason::interrupted && !world.called("mount");
            std::_Exit(right ? 0 : 1);
        }
        std::_Exit(2);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(Terminating, LeavesAChangeThatWasCutOffOpen) {
    bring_packages();
    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    world.hooks["digest"] = [] { std::raise(SIGTERM); };
    const auto end = [&] {
        catch_termination();
        try {
            run();
        } catch (const Terminated&) {
            std::_Exit(state().open() && state().change == Change::begun ? 0 : 1);
        }
        std::_Exit(2);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(Terminating, CannotStopTheChangeSaysSoAndGoesOn) {
    int waits = 0;
    world.hooks["wait"] = [&] {
        if (++waits > 1)
            return; // the second wait finds the unit unchanged
        world.units[apply_unit].active = "activating";
        std::raise(SIGTERM);
        check_termination(); // as the adapter does while it waits
    };
    const auto end = [&] {
        catch_termination();
        const bool done = run() == ExitCode::done;
        const auto told = events().find("warning:apply:busy") != std::string::npos;
        std::_Exit(
            done && told && waits == 2 && state().change == Change::done && world.called("reboot") ? 0 : 1);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(Terminating, StopsWhenTheChangeHasNotBegun) {
    world.hooks["begin"] = [] {
        std::raise(SIGTERM);
        check_termination();
    };
    const auto end = [&] {
        catch_termination();
        try {
            run();
        } catch (const Terminated&) {
            std::_Exit(!world.called("script") && !world.mounted && state().outcome == Outcome::failed ? 0
                                                                                                       : 1);
        }
        std::_Exit(2);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(Terminating, CancelsUpToTheLastMoment) { // where the agent does not look for signals
    world.hooks["flush_journal"] = [this] {
        if (state().stage == Stage::apply && state().open())
            std::raise(SIGTERM);
    };
    const auto end = [&] {
        catch_termination();
        try {
            run();
        } catch (const Terminated&) {
            std::_Exit(!world.called("begin") && !world.mounted && state().outcome == Outcome::failed ? 0
                                                                                                      : 1);
        }
        std::_Exit(2);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}

TEST_F(Terminating, LeavesTheRecordOpenOnceTheChangeIsComplete) {
    world.hooks["wait returns"] = [] { std::raise(SIGTERM); };
    const auto end = [&] {
        catch_termination();
        try {
            run();
        } catch (const Terminated&) {
            std::_Exit(state().open() && state().change == Change::done ? 0 : 1);
        }
        std::_Exit(2);
    };
    EXPECT_EXIT(end(), testing::ExitedWithCode(0), "");
}
