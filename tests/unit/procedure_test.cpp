// The whole story, and what it leaves alone.

#include "unit/story.hpp"

using namespace um;
using namespace um::test;

using Procedure = Story;
using Check = Story;
using Abandon = Story;

TEST_F(Procedure, UpgradesOnceFromMediaToVerification) {
    EXPECT_EQ(run(), ExitCode::done);
    EXPECT_EQ(events(), "stage-started:authenticate upgrade-started stage-finished:authenticate"
                        "");
}
