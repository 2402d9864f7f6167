// The machine that this runs on, as far as files describe it.

#include "base/failure.hpp"
#include "base/fd.hpp"
#include "system/appliance.hpp"
#include "system/mount_points.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gmock/gmock.h>

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace um;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSubsetOf;
using testing::Not;
using um::test::Scratch;

namespace {

struct Machine : testing::Test {
    Scratch scratch{test::guarded_place};
    LinuxAppliance machine;

    std::string program(const std::string& name, mode_t mode = 0755) const {
        const auto path = scratch.file(name, "#!/bin/sh\n");
        EXPECT_EQ(::chmod(path.c_str(), mode), 0);
        return path;
    }
    std::vector<std::string> checks() {
        std::vector<std::string> found;
        for (const auto& check : machine.admin_checks(scratch.path()))
            found.push_back(check.path.substr(scratch.path().size() + 1) +
                            (check.problem.empty() ? "" : " !"));
        return found;
    }
};

/// Records which file systems are written to disk.
struct Syncing : test::Wrapped<Syncing> {
    int syncfs(int fd) {
        written.push_back(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)));
        errno = EIO;
        return result;
    }

    std::vector<std::string> written;
    int result = 0;
};

} // namespace

UM_WRAP(Syncing, int, syncfs, (int fd), (fd))

TEST_F(Machine, ListsTheOperatorsChecksByName) {
    for (const auto* name : {"20-b", "10-a", ".hidden", "10-a~", "10-a.rpmnew", "x.swp"})
        program(name);
    EXPECT_THAT(checks(), ElementsAre("10-a", "20-b"));
    EXPECT_THAT(machine.admin_checks("/nowhere"), IsEmpty());
}

TEST_F(Machine, SaysWhyACheckCannotOrShouldNotBeRun) {
    program("10-plain", 0644);
    program("20-open", 0777);
    const auto foreign = program("30-foreign");
    ASSERT_EQ(::chown(foreign.c_str(), 1, 1), 0);
    ASSERT_EQ(::symlink("/nowhere", (scratch / "40-dangling").c_str()), 0);
    EXPECT_THAT(checks(), ElementsAre("10-plain !", "20-open !", "30-foreign !", "40-dangling !"));
    EXPECT_THAT(machine.admin_checks(scratch.path())[0].problem, HasSubstr("cannot be executed"));
    EXPECT_THAT(machine.admin_checks(scratch.path())[1].problem, HasSubstr("others than root"));
}

TEST_F(Machine, FindsTheFilesBelowADirectory) {
    scratch.file("a.log", "12345");
    ASSERT_EQ(::mkdir((scratch / "deep").c_str(), 0700), 0);
    scratch.file("deep/b.log", "1");
    ASSERT_EQ(::symlink("a.log", (scratch / "link.log").c_str()), 0);
    std::uint64_t sizes = 0;
    const auto files = machine.files_below(scratch.path());
    for (const auto& file : files)
        sizes += file.size;
    EXPECT_EQ(files.size(), 2U); // the target of a link is counted elsewhere
    EXPECT_EQ(sizes, 6U);
    EXPECT_THAT(machine.files_below("/nowhere"), IsEmpty());
}

TEST_F(Machine, FindsATextWhereverItStandsInAFile) {
    const std::string text = "Failed to process journal=>read";
    for (const std::size_t before : {0UL, 1UL, 65536UL - 10, 65536UL, 65536UL - text.size(), 200'000UL}) {
        const auto path = scratch.file("log", std::string(before, 'x') + text + "\n");
        const auto end = before + text.size();
        EXPECT_TRUE(machine.file_holds(path, 0, end, text)) << before;
        EXPECT_TRUE(machine.file_holds(path, before, end + 1000, text)) << before;
        EXPECT_FALSE(machine.file_holds(path, before + 1, end, text)) << before;
        EXPECT_FALSE(machine.file_holds(path, 0, end - 1, text)) << before;
    }
    EXPECT_FALSE(machine.file_holds(scratch.file("log", text.substr(1)), 0, 1000, text));
    EXPECT_FALSE(machine.file_holds("/nowhere", 0, 1000, text));
}

TEST_F(Machine, WritesEveryDiskAndWaitsForNothingElse) {
    Syncing kernel;
    machine.sync();
    std::vector<std::string> disks;
    const MountPoints mounts;
    for (const auto& [path, mount] : mounts.all())
        if (mount.lasting && mount.writable)
            disks.push_back(path);
    EXPECT_THAT(kernel.written, Not(IsEmpty()));
    EXPECT_THAT(kernel.written, IsSubsetOf(disks));
    kernel.result = -1;
    EXPECT_THROW(machine.sync(), SystemFailure);
}

TEST_F(Machine, SeesWhoLocksAFileInEitherWay) {
    const auto path = scratch.file("lock", "");
    EXPECT_EQ(machine.lock_holder(scratch.path() + "/none"), std::nullopt);
    EXPECT_EQ(machine.lock_holder(path), std::nullopt);
    {
        const Fd other(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        ASSERT_EQ(::flock(other.get(), LOCK_EX), 0); // as tdnf does
        EXPECT_EQ(machine.lock_holder(path), "a process that locks '" + path + "'");
    }
    EXPECT_EQ(machine.lock_holder(path), std::nullopt);
    const Fd rpm(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    struct flock lock {};
    lock.l_type = F_WRLCK;
    ASSERT_EQ(::fcntl(rpm.get(), F_OFD_SETLK, &lock), 0); // a classic lock of this process would not count
    EXPECT_TRUE(machine.lock_holder(path).has_value());
}

TEST_F(Machine, TellsHowManyFilesFitAndWhatTheHostIsCalled) {
    const auto space = machine.space("/");
    EXPECT_GT(space.available, 0U);
    EXPECT_GT(space.available_files, 0U);
    EXPECT_FALSE(machine.host_names().front().empty());
}
