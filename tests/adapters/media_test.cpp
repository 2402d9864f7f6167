// Media as files, and paths that only root can change, with the kernel's own answers.

#include "base/failure.hpp"
#include "base/guarded_path.hpp"
#include "system/media_directory.hpp"

#include "support/scratch.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

using namespace um;
using um::test::guarded_place;
using um::test::Scratch;

namespace {

template <class Work>
std::string failure_of(Work work) {
    try {
        work();
    } catch (const Failure& failure) {
        EXPECT_FALSE(failure.hint().empty()) << failure.what();
        return std::string(word(failure.reason())) + ": " + failure.what();
    } catch (const Unguarded& failure) {
        return failure.what();
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
std::string change(const OpenMedia& media) {
    return failure_of([&] { FileMedia().expect_unchanged(media); });
}

} // namespace

TEST(GuardedPath, LeadsThroughDirectoriesOfRootAlone) {
    const Scratch scratch(guarded_place);
    std::filesystem::create_directories(scratch / "a/b");
    const auto path = scratch.file("a/b/file", "text");
    EXPECT_TRUE(open_guarded(path, Links::refuse));
    EXPECT_TRUE(open_guarded(scratch.path() + "//a/./b/../b/file", Links::refuse));
    EXPECT_FALSE(open_guarded(scratch / "a/c/file", Links::refuse));
    EXPECT_TRUE(open_guarded_directory(scratch / "a", Links::refuse));
    EXPECT_TRUE(open_guarded_directory("/", Links::refuse));
    EXPECT_FALSE(open_guarded_directory(scratch / "b", Links::refuse));
    EXPECT_EQ(failure_of([&] { open_guarded_directory(path, Links::refuse); }),
              "open '" + path + "': Not a directory");
}

TEST(GuardedPath, EndsWhereOthersMayExchangeWhatIsThere) {
    const Scratch scratch(guarded_place);
    std::filesystem::create_directories(scratch / "a/b");
    const auto path = scratch.file("a/b/file", "text");
    const auto failure = [&] { return failure_of([&] { open_guarded(path, Links::refuse); }); };
    const auto exchanged =
        "'" + path + "' could be exchanged: '" + scratch.path() + "/a' could be changed by others than root ";
    for (const auto& [mode, text] :
         {std::pair<mode_t, std::string>{0777, "0777"}, {0770, "0770"}, {01777, "1777"}}) {
        ASSERT_EQ(::chmod((scratch / "a").c_str(), mode), 0);
        EXPECT_EQ(failure(), exchanged + "(owner 0, mode " + text + ")");
    }
    ASSERT_EQ(::chmod((scratch / "a").c_str(), 0755), 0);
    EXPECT_EQ(failure(), "no failure");
    ASSERT_EQ(::chown((scratch / "a").c_str(), 65534, 0), 0);
    EXPECT_EQ(failure(), exchanged + "(owner 65534, mode 0755)");
}

TEST(GuardedPath, FollowsLinksOnlyWhereItIsToldTo) {
    const Scratch scratch(guarded_place);
    const Scratch open; // others may write there
    std::filesystem::create_directories(scratch / "a/b");
    scratch.file("a/b/file", "text");
    std::filesystem::create_symlink("a/b", scratch / "relative");
    std::filesystem::create_symlink(scratch / "relative/file", scratch / "absolute");
    std::filesystem::create_symlink("loop", scratch / "loop");
    std::filesystem::create_symlink(open.file("file", "text"), scratch / "away");
    EXPECT_TRUE(open_guarded(scratch / "relative/file", Links::follow));
    EXPECT_TRUE(open_guarded(scratch / "absolute", Links::follow));
    EXPECT_EQ(failure_of([&] { open_guarded(scratch / "relative/file", Links::refuse); }),
              "'" + scratch.path() + "/relative' is a symbolic link");
    EXPECT_EQ(failure_of([&] { open_guarded(scratch / "loop", Links::follow); }),
              "open '" + scratch.path() + "/loop': Too many levels of symbolic links");
    EXPECT_NE(
        failure_of([&] { open_guarded(scratch / "away", Links::follow); }).find("could be exchanged: '/tmp'"),
        std::string::npos);
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
    EXPECT_TRUE(FileMedia().matches("/dev/null").empty());
}

TEST(Media, AreOpenedWithWhatTheyAre) {
    const Scratch scratch(guarded_place);
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    EXPECT_EQ(media.size, 5U);
    EXPECT_FALSE(media.drive);
    EXPECT_NE(::fcntl(media.fd.get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Media, AreRefusedWhenTheyAreNoPlainFile) {
    const Scratch scratch(guarded_place);
    std::filesystem::create_symlink(scratch.file("real", "x"), scratch / "link.iso");
    std::filesystem::create_directory(scratch / "directory.iso");
    ASSERT_EQ(::mkfifo((scratch / "fifo.iso").c_str(), 0600), 0);
    ASSERT_EQ(::mknod((scratch / "device.iso").c_str(), S_IFBLK | 0600, makedev(7, 0)), 0);
    EXPECT_EQ(open_failure(scratch / "link.iso"),
              "media.insecure: '" + scratch.path() + "/link.iso' is a symbolic link");
    for (const std::string name : {"directory.iso", "fifo.iso", "device.iso"}) { // a FIFO must not hang
        const auto message = "media.insecure: '" + scratch.path() + "/" + name + "' is no regular file";
        EXPECT_EQ(open_failure(scratch / name), message);
        EXPECT_EQ(sidecar_failure(scratch / name), message);
    }
    EXPECT_EQ(open_failure("/dev/null"), "media.insecure: '/dev/null' is no drive");
}

TEST(Media, AreRefusedWhenOthersCouldChangeThem) {
    const Scratch scratch(guarded_place);
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

TEST(Media, AreRefusedWhileSomebodyWritesToThem) {
    const Scratch scratch(guarded_place);
    const auto path = scratch.file("a.iso", "x");
    std::ofstream writer(path, std::ios::app);
    EXPECT_EQ(open_failure(path), "media.insecure: '" + path + "' is open for writing");
    EXPECT_EQ(sidecar_failure(path), "media.insecure: '" + path + "' is open for writing");
    writer.close();
    EXPECT_EQ(open_failure(path), "no failure");
}

TEST(Media, AreNoneWhereThereAreNone) {
    EXPECT_EQ(open_failure("/no/such.iso"), "media.none: '/no/such.iso' is no longer there");
    EXPECT_EQ(open_failure("/dev/no-such-drive"), "media.none: there is no '/dev/no-such-drive'");
    EXPECT_FALSE(FileMedia().read_sidecar("/no/such.mf"));
}

TEST(Media, ReadSidecarsUpToAMebibyte) {
    const Scratch scratch(guarded_place);
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("a.mf", "text")), "text");
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("b.mf", ""))->size(), 0U);
    EXPECT_EQ(FileMedia().read_sidecar(scratch.file("c.mf", std::string(1 << 20, 'x')))->size(), 1U << 20);
    EXPECT_EQ(sidecar_failure(scratch.file("d.mf", std::string((1 << 20) + 1, 'x'))),
              "media.unreadable: '" + scratch.path() +
                  "/d.mf' is larger than a sidecar can be (1048577 bytes)");
}

TEST(Media, AreUnchangedWhileNobodyTouchesThem) {
    const Scratch scratch(guarded_place);
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    scratch.file("a.mf", "x");
    EXPECT_EQ(um::test::text_of(path), "12345");
    EXPECT_EQ(change(media), "no failure");
}

TEST(Media, AreChangedWhenTheyAreWrittenToRenamedOrReplaced) {
    const Scratch scratch(guarded_place);
    const std::string prefix = "media.changed: '" + scratch.path() + "/a.iso' ";
    const auto path = scratch / "a.iso";
    struct Case {
        std::function<void()> touch;
        std::string message;
    };
    using std::filesystem::last_write_time;
    const Case cases[] = {
        {[&] { ASSERT_EQ(::truncate(path.c_str(), 6), 0); },
         "has 6 bytes now, and had 5 while it was in use"},
        {[&] { last_write_time(path, last_write_time(path) + std::chrono::nanoseconds(1)); },
         "was written to while it was in use"},
        {[&] { std::filesystem::remove(path); }, "was removed or replaced while it was in use"},
        {[&] { std::filesystem::rename(scratch.file("evil.iso", "54321"), path); },
         "was removed or replaced while it was in use"},
        {[&] { std::filesystem::rename(path, scratch / "b.iso"); },
         "was renamed, replaced, or its owner or mode was changed while it was in use"},
        {[&] { ASSERT_EQ(::chmod(path.c_str(), 0666), 0); },
         "was renamed, replaced, or its owner or mode was changed while it was in use"},
    };
    for (const auto& [touch, message] : cases) {
        scratch.file("a.iso", "12345");
        auto media = FileMedia().open(path);
        media.leased = false; // so that only size and times can show it
        media.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        // The times of files change with the clock's tick. A change in the same tick is not visible in them.
        struct timespec grain {};
        ASSERT_EQ(::clock_getres(CLOCK_REALTIME_COARSE, &grain), 0);
        ASSERT_EQ(::nanosleep(&grain, nullptr), 0);
        touch();
        EXPECT_EQ(change(media), prefix + message);
    }
}

TEST(Media, AreChangedWhenSomebodyOpensThemForWriting) {
    const Scratch scratch(guarded_place);
    const auto path = scratch.file("a.iso", "12345");
    const auto media = FileMedia().open(path);
    ASSERT_TRUE(media.leased);
    EXPECT_LT(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), 0); // it would have to wait
    EXPECT_EQ(errno, EWOULDBLOCK);
    EXPECT_EQ(change(media), "media.changed: '" + path + "' was opened for writing while it was in use");
}
