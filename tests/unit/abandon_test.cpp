// A person closes an upgrade.

#include "base/file.hpp"
#include "unit/story.hpp"

#include <filesystem>

using namespace um;
using namespace um::test;

using Abandon = Story;

TEST_F(Abandon, RefusesWhereNoUpgradeIsOpen) {
    EXPECT_THROW(abandon("why"), UsageError);
    upgrade();
    verify();
    EXPECT_THROW(abandon("why"), UsageError);
}

TEST_F(Abandon, ClosesAnUpgradeThatNeedsAPerson) {
    world.work = [](const Terminal::Session&) { return 1; };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(run(), ExitCode::needs_manual);
    EXPECT_EQ(world.ids, 1U);
    events();
    abandon("reverted to the snapshot");
    EXPECT_EQ(events(), "abandoned:needs-manual");
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
    EXPECT_EQ(state().reason, Reason::script_failed);
    EXPECT_EQ(store().closed().at(0).abandoned, "reverted to the snapshot");
    run();
    EXPECT_EQ(world.ids, 2U); // the next upgrade may begin
}

TEST_F(Abandon, ClosesAnInterruptedUpgradeByWhatWasChanged) {
    world.fates["digest"] = Fate::crash;
    run_and_crash();
    abandon("never mind");
    EXPECT_EQ(state().outcome, Outcome::failed);
    EXPECT_EQ(state().reason, Reason::interrupted);

    world.fates["script"] = Fate::power_cut;
    run_and_crash();
    abandon("restored");
    EXPECT_EQ(state().outcome, Outcome::needs_manual);
}

TEST_F(Abandon, SetsADamagedRecordAside) {
    upgrade();
    replace_file(store().path(), "no record at all");
    EXPECT_THROW(run(), Failure);
    events();
    abandon("damaged by hand");
    EXPECT_EQ(events(), "abandoned:state.damaged");
    EXPECT_FALSE(store().load());
    EXPECT_EQ(run(), ExitCode::done); // the next upgrade may begin
}

TEST_F(Abandon, IsRefusedWhileTheChangeIsAtWork) {
    world.fates["wait"] = Fate::crash;
    run_and_crash();
    world.units[apply_unit].active = "activating";
    try {
        abandon("impatience");
        ADD_FAILURE() << "was abandoned";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::busy);
    }
    EXPECT_TRUE(state().open());
}
