// Whole files, and media as files: the kernel's own answers.

#include "system/file.hpp"
#include "system/media_directory.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
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
    } catch (const Failure& failure) {
        return std::string(word(failure.reason())) + ": " + failure.what();
    } catch (const SystemFailure& failure) {
        return failure.what();
    }
    return "no failure";
}

std::string open_failure(const std::string& path) {
    return failure_of([&] { FileMedia().open(path); });
}
std::string sidecar_failure(const std::string& path) {
    return failure_of([&] { FileMedia().read_sidecar(path); });
}

mode_t mode_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
}

/// Which file a descriptor stands for.
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
    EXPECT_EQ(um::test::text_of(scratch / "kept"), "old"); // another file took the name: never half of both
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

TEST(Media, AreMatchedByPatternAndSorted) {
    const Scratch scratch;
    for (const auto* name : {"b.iso", "a.iso", "c.mf", ".hidden.iso"})
        scratch.file(name, "");
    EXPECT_EQ(FileMedia().matches(scratch / "*.iso"),
              (std::vector<std::string>{scratch / "a.iso", scratch / "b.iso"}));
    EXPECT_EQ(FileMedia().matches(scratch / "c.mf"), (std::vector<std::string>{scratch / "c.mf"}));
    EXPECT_TRUE(FileMedia().matches(scratch / "*.crt").empty());
    EXPECT_TRUE(FileMedia().matches("/no/such/directory/*.iso").empty());
    EXPECT_TRUE(FileMedia().matches("/dev/no-such-drive").empty());
}

TEST(Media, AreOpenedWithWhatTheyAre) {
    const Scratch scratch;
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(media.size, 5U);
    EXPECT_EQ(media.device, status.st_dev);
    EXPECT_EQ(media.inode, status.st_ino);
    EXPECT_FALSE(media.drive);
    EXPECT_NE(::fcntl(media.fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Media, AreRefusedWhenTheyAreNoPlainFile) {
    const Scratch scratch;
    std::filesystem::create_symlink(scratch.file("real", "x"), scratch / "link.iso");
    std::filesystem::create_directory(scratch / "directory.iso");
    ASSERT_EQ(::mkfifo((scratch / "fifo.iso").c_str(), 0600), 0);
    EXPECT_EQ(open_failure(scratch / "link.iso"),
              "media.insecure: '" + scratch.path() + "/link.iso' is a symbolic link");
    for (const std::string name : {"directory.iso", "fifo.iso"}) { // and a FIFO does not hang
        EXPECT_EQ(open_failure(scratch / name),
                  "media.insecure: '" + scratch.path() + "/" + name + "' is no regular file");
        EXPECT_EQ(sidecar_failure(scratch / name),
                  "media.insecure: '" + scratch.path() + "/" + name + "' is no regular file");
    }
    EXPECT_EQ(open_failure("/dev/null"), "media.insecure: '/dev/null' is no regular file");
}

TEST(Media, AreRefusedWhenOthersCouldChangeThem) {
    const Scratch scratch;
    const auto path = scratch.file("a.iso", "x");
    for (const auto& [mode, text] :
         {std::pair<mode_t, std::string>{0620, "0620"}, {0602, "0602"}, {0666, "0666"}}) {
        ASSERT_EQ(::chmod(path.c_str(), mode), 0);
        const auto message = "media.insecure: '" + path +
                             "' could be changed by others than root (owner 0, mode " + text + ")";
        EXPECT_EQ(open_failure(path), message);
        EXPECT_EQ(sidecar_failure(path), message);
    }
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    EXPECT_EQ(open_failure(path), "no failure");
    ASSERT_EQ(::chown(path.c_str(), 65534, 0), 0);
    EXPECT_EQ(open_failure(path),
              "media.insecure: '" + path + "' could be changed by others than root (owner 65534, mode 0644)");
}

TEST(Media, AreNoneWhereThereAreNone) {
    EXPECT_EQ(open_failure("/no/such.iso"), "media.none: open '/no/such.iso': No such file or directory");
    EXPECT_FALSE(FileMedia().read_sidecar("/no/such.mf"));
    EXPECT_EQ(open_failure("/dev/null/x"), "media.unreadable: open '/dev/null/x': Not a directory");
}

TEST(Media, ReadSidecarsUpToAMebibyte) {
    const Scratch scratch;
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("a.mf", "text")), "text");
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("b.mf", ""))->size(), 0U);
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("c.mf", std::string(1 << 20, 'x')))->size(), 1U << 20);
    EXPECT_EQ(sidecar_failure(scratch.file("d.mf", std::string((1 << 20) + 1, 'x'))),
              "media.unreadable: '" + scratch.path() +
                  "/d.mf' is larger than a sidecar can be (1048577 bytes)");
}

TEST(Media, AreUnchangedUntilSomebodyWritesToThem) {
    const Scratch scratch;
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    EXPECT_NO_THROW(FileMedia().expect_unchanged(media));
    std::filesystem::rename(path, scratch / "b.iso"); // the descriptor stands for the file, not its name
    scratch.file("a.iso", "54321");
    EXPECT_NO_THROW(FileMedia().expect_unchanged(media));

    const auto changed = "media.changed: '" + path + "' was changed while it was in use";
    const auto written = std::filesystem::last_write_time(scratch / "b.iso");
    std::ofstream(scratch / "b.iso", std::ios::app) << "6";
    std::filesystem::last_write_time(scratch / "b.iso", written); // longer
    EXPECT_EQ(failure_of([&] { FileMedia().expect_unchanged(media); }), changed);
}

TEST(Media, AreChangedWhenTheyAreRewrittenInTheSameLength) {
    const Scratch scratch;
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    std::filesystem::last_write_time(path,
                                     std::filesystem::last_write_time(path) + std::chrono::nanoseconds(1));
    EXPECT_EQ(failure_of([&] { FileMedia().expect_unchanged(media); }),
              "media.changed: '" + path + "' was changed while it was in use");
}
