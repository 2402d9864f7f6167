// What the agent tells of a change and of a rollback, and what it reads for them.

#include "unit/rollback_story.hpp"

#include <algorithm>
#include <gmock/gmock.h>

using namespace um;
using namespace um::test;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

/// How often fdatasync(2) was called; see no_fsync.cpp.
extern unsigned writes_to_disk;

using Telling = Story;
using TellingOfARollback = Rollback;

TEST_F(Telling, QuotesTheLastLineOfAScriptThatFails) {
    world.work = [](const Terminal::Session& session) {
        session.on_output("updating\nUpgrade fail during JRE update\n\n");
        return 7;
    };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().message,
              "upgrade-um.sh ended with status 7; its last line: Upgrade fail during JRE update");
}

TEST_F(Telling, QuotesTheLastLineOfAScriptThatEndsWellAndChangesNothing) {
    world.work = [](const Terminal::Session& session) {
        session.on_output("no repository is enabled\n");
        return 0;
    };
    EXPECT_EQ(run(), ExitCode::apply_failed);
    EXPECT_EQ(state().message,
              "the change ended well, but the product's version is '4.6.0.1', not 4.7.0.0; its "
              "last line: no repository is enabled");
}

TEST_F(Telling, WritesItsLogToDiskAtLeastOnceASecond) {
    world.work = [this](const Terminal::Session& session) {
        session.on_output("one\n");
        const auto before = writes_to_disk;
        world.uptime += seconds(1);
        session.on_quiet(milliseconds(100)); // nothing comes, and the line must not wait for more
        EXPECT_EQ(writes_to_disk, before + 1);
        session.on_quiet(milliseconds(200));
        EXPECT_EQ(writes_to_disk, before + 1);
        session.on_output("two\n");
        world.installed = "4.7.0.0";
        return 0;
    };
    EXPECT_EQ(run(), ExitCode::done);
}

TEST_F(Telling, ReadsWhatIsOnTheMediaOnceInEachProcess) {
    bring_packages();
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(world.count("matches " + mount_point + "/repo/*.rpm"), 2); // the agent's, and the apply unit's
}

TEST_F(TellingOfARollback, SaysThatItComesByItselfBeforeItBegins) {
    fail_the_change();
    run();
    const auto failed = std::find_if(journal.entries.begin(), journal.entries.end(), [](const auto& entry) {
        return field(entry, "UM_EVENT") == "stage-failed";
    });
    ASSERT_NE(failed, journal.entries.end());
    EXPECT_THAT(field(*failed, "MESSAGE"),
                HasSubstr("um-upgrade rolls the upgrade back by itself; do not revert to the snapshot"));
}

TEST_F(TellingOfARollback, TellsTheJournalWhatItPutBack) {
    fail_the_change();
    run();
    events();
    world.set_aside = {"/var/lib/um-upgrade/rollback/id/data"};
    boot();
    EXPECT_TRUE(std::any_of(journal.entries.begin(), journal.entries.end(), [](const auto& entry) {
        return field(entry, "MESSAGE")
            .starts_with("the old system is back: 1 put back, 1 set aside, 0 differences");
    }));
}
