// Whole files, with the kernel's own answers.

#include "base/failure.hpp"
#include "base/file.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>

using namespace um;
using testing::InSequence;
using testing::Return;
using testing::StrEq;
using um::test::Scratch;

namespace {

template <class Work>
std::string failure_of(Work work) {
    try {
        work();
    } catch (const SystemFailure& failure) {
        return failure.what();
    }
    return "no failure";
}

mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

/// The path of the file that a descriptor refers to.
std::string path_of(int fd) {
    return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).string();
}

struct DiskMock : um::test::Wrapped<DiskMock> {
    MOCK_METHOD(int, fsync, (int));
    MOCK_METHOD(int, rename, (const char*, const char*));
};

int failing(int error) {
    errno = error;
    return -1;
}

} // namespace

UM_WRAP(DiskMock, int, fsync, (int fd), (fd))
UM_WRAP(DiskMock, int, rename, (const char* from, const char* to), (from, to))

TEST(File, IsOnDiskBeforeItTakesItsNameAndSoIsTheName) {
    const Scratch scratch;
    const auto path = scratch / "state.ini";
    DiskMock mock;
    const InSequence order;
    EXPECT_CALL(mock, fsync).WillOnce([&](int fd) {
        EXPECT_EQ(path_of(fd), path + ".new");
        EXPECT_EQ(um::test::text_of(path + ".new"), "text");
        return 0;
    });
    EXPECT_CALL(mock, rename(StrEq(path + ".new"), StrEq(path))).WillOnce(__real_rename);
    EXPECT_CALL(mock, fsync).WillOnce([&](int fd) {
        EXPECT_EQ(path_of(fd), scratch.path());
        return 0;
    });
    replace_file(path, "text");
}

TEST(File, NamesWhichStepOfReplacingItFailed) {
    const Scratch scratch;
    const auto path = scratch.file("state.ini", "old");
    const auto before = um::test::open_descriptors();
    {
        DiskMock mock;
        EXPECT_CALL(mock, fsync).WillOnce([](int) { return failing(EIO); });
        EXPECT_EQ(failure_of([&] { replace_file(path, "new"); }),
                  "fsync '" + path + ".new': Input/output error");
    }
    {
        DiskMock mock;
        EXPECT_CALL(mock, fsync).WillOnce(Return(0));
        EXPECT_CALL(mock, rename).WillOnce([](const char*, const char*) { return failing(EROFS); });
        EXPECT_EQ(failure_of([&] { replace_file(path, "new"); }),
                  "rename '" + path + ".new' to '" + path + "': Read-only file system");
    }
    EXPECT_EQ(um::test::text_of(path), "old");
    DiskMock mock;
    EXPECT_CALL(mock, fsync).WillOnce(Return(0)).WillOnce([](int) { return failing(EIO); });
    EXPECT_CALL(mock, rename).WillOnce(__real_rename);
    EXPECT_EQ(failure_of([&] { replace_file(path, "new"); }),
              "fsync '" + scratch.path() + "': Input/output error");
    EXPECT_EQ(um::test::open_descriptors(), before);
}

TEST(File, IsReplacedWhole) {
    const Scratch scratch;
    const auto path = scratch.file("state.ini", "old");
    const auto before = std::filesystem::hard_link_count(path);
    std::filesystem::create_hard_link(path, scratch / "kept");
    replace_file(path, "new");
    EXPECT_EQ(um::test::text_of(path), "new");
    EXPECT_EQ(um::test::text_of(scratch / "kept"), "old"); // another file took the name, so no mix is seen
    EXPECT_EQ(std::filesystem::hard_link_count(path), before);
    EXPECT_EQ(um::test::names_in(scratch.path()), (std::vector<std::string>{"kept", "state.ini"}));
    EXPECT_EQ(mode_of(path), 0600U);
}

TEST(File, IsReplacedInADirectoryThatIsMadeForIt) {
    const Scratch scratch;
    replace_file(scratch / "a/b/c.ini", "text");
    EXPECT_EQ(um::test::text_of(scratch / "a/b/c.ini"), "text");
    EXPECT_EQ(mode_of(scratch / "a/b"), 0700U);
}

TEST(File, IsReplacedOverWhatADeadWriterLeft) {
    const Scratch scratch;
    scratch.file("state.ini.new", "half a recor");
    replace_file(scratch / "state.ini", "new");
    EXPECT_EQ(um::test::names_in(scratch.path()), (std::vector<std::string>{"state.ini"}));
}

TEST(File, KeepsTheOldTextWhenTheNewCannotBeWritten) {
    const Scratch scratch;
    const auto path = scratch.file("state.ini", "old");
    std::filesystem::create_directory(scratch / "state.ini.new");
    EXPECT_EQ(failure_of([&] { replace_file(path, "new"); }), "open '" + path + ".new': Is a directory");
    EXPECT_EQ(um::test::text_of(path), "old");
    std::filesystem::remove(scratch / "state.ini.new");
    std::filesystem::create_symlink(scratch.file("target", "kept"), scratch / "state.ini.new");
    EXPECT_EQ(failure_of([&] { replace_file(path, "new"); }),
              "open '" + path + ".new': Too many levels of symbolic links");
    EXPECT_EQ(um::test::text_of(scratch / "target"), "kept");
}

TEST(File, NamesAFullDisk) {
    const auto fd = open_file("/dev/full", O_WRONLY);
    EXPECT_EQ(failure_of([&] { write_all(fd.get(), "text", "/dev/full"); }),
              "write '/dev/full': No space left on device");
}

TEST(File, IsReadUpToItsLimit) {
    const Scratch scratch;
    const auto path = scratch.file("a", std::string(100'000, 'x'));
    EXPECT_EQ(read_file_if_there(path, 100'000)->size(), 100'000U);
    EXPECT_EQ(failure_of([&] { read_file_if_there(path, 99'999); }), "read '" + path + "': File too large");
    EXPECT_EQ(failure_of([&] { read_file_if_there(scratch.path(), 1); }),
              "read '" + scratch.path() + "': Is a directory");
    EXPECT_FALSE(read_file_if_there(scratch / "missing", 1));
}

TEST(File, LeavesNoDescriptorOpen) {
    const Scratch scratch;
    const auto before = um::test::open_descriptors();
    replace_file(scratch / "a", "text");
    read_file_if_there(scratch / "a", 10);
    failure_of([&] { read_file_if_there(scratch / "a", 1); });
    failure_of([&] { replace_file(scratch / "a/b", "text"); });
    EXPECT_EQ(um::test::open_descriptors(), before);
}
