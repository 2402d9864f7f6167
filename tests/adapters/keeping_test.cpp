// A tree with every kind of file is kept, spoiled in every way, and put back.

#include "base/failure.hpp"
#include "base/file.hpp"
#include "support/scratch.hpp"
#include "system/keeping/difference.hpp"
#include "system/keeping/file_keeper.hpp"
#include "system/keeping/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <filesystem>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace um::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void must(const std::string& command) {
    const auto done = shell(command);
    ASSERT_EQ(done.status, 0) << command << "\n" << done.output;
}

struct Keeping : testing::Test {
    void SetUp() override {
        must("cd " + scratch.path() +
             " && mkdir -p etc/deep usr/bin data rpm state && "
             "printf one >etc/one && printf two >etc/deep/two && chmod 0640 etc/one && chown 12:34 "
             "etc/deep/two && "
             "ln -s one etc/link && ln etc/one etc/deep/other-name && mkfifo etc/pipe && "
             "chmod 4755 etc/deep && "
             "printf '%s' tool >usr/bin/tool && chmod 0755 usr/bin/tool && printf conf >usr/bin/tool.conf && "
             "printf records >data/store && printf packages >rpm/db && TZ=UTC touch -d '2020-01-01 01:02:03' "
             "etc/one usr/bin/tool && "
             "truncate -s 1M etc/holes && printf end >>etc/holes");
        ASSERT_EQ(::lsetxattr(root("etc/deep/two").c_str(), "user.colour", "blue", 4, 0), 0)
            << std::strerror(errno);
        scope.trees = {root("etc")};
        scope.databases = {root("rpm")};
        scope.data = {root("data")};
        scope.packaged = {{root("usr/bin/tool"), 4, as_packaged, "", false},
                          {root("usr/bin/tool.conf"), 4, 0, "", true}};
        scope.excluded = {root("state"), root("etc/left-out")};
        scope.incoming = {root("usr/share/new/file"), root("usr/bin/newer")};
    }

    std::string root(const std::string& name) const { return scratch / name; }
    KeepCost keep() {
        return keeper.keep("id", scope, [](const auto& work) { work(); });
    }
    RollbackResult roll_back(const std::vector<std::string>& added = {}) {
        return keeper.roll_back("id", added);
    }
    /// A text with everything about the trees but the times of directories and links.
    std::string picture() const {
        return shell("cd " + scratch.path() +
                     " && find etc usr data rpm -printf '%y %m %U %G %n %l %p\n' | sort; "
                     "find etc usr data rpm -type f -printf '%T@ %p\n' | sort; "
                     "find etc usr data rpm -type f -print0 | sort -z | xargs -0 sha256sum; "
                     "/usr/bin/python3 -c 'import os; print(os.listxattr(\"etc/deep/two\"))'")
            .output;
    }

    static constexpr std::int64_t as_packaged = 1577840523; // 2020-01-01 01:02:03 UTC
    Scratch scratch;
    FileKeeper keeper{scratch / "state"};
    KeepScope scope;
};

} // namespace

TEST_F(Keeping, PutsBackWhateverWasDoneToATree) {
    const auto before = picture();
    const auto cost = keep();
    EXPECT_EQ(cost.links, 1U);
    must("cd " + scratch.path() +
         " && printf more >>etc/one && rm -r etc/deep && mkdir etc/link.d && rm etc/link etc/pipe && ln -s "
         "elsewhere etc/link && "
         "printf 'a file' >etc/deep && printf strange >etc/strange && rm -r etc/link && mkdir etc/link && "
         "printf x >etc/link/x && "
         "printf newtool >usr/bin/new && touch -d 2021-01-01 usr/bin/new && mv usr/bin/new usr/bin/tool && "
         "printf changed >usr/bin/tool.conf && "
         "printf migrated >data/store && printf wal >data/store-wal && rm rpm/db && printf other >rpm/db2 && "
         "mkdir -p usr/share/new && printf f >usr/share/new/file && printf n >usr/bin/newer && touch -d "
         "2021-01-01 "
         "usr/bin/newer && printf u "
         ">'usr/bin/tool;5f3a1b2c'");
    const auto result = roll_back({root("usr/bin/newer"), root("usr/share/new/file"), root("usr/share/new")});
    EXPECT_THAT(result.differences, IsEmpty());
    keeper.discard("id", Keeper::Added::stay);
    EXPECT_EQ(picture(), before);
    // Data that somebody may miss are there, and so is what packages brought.
    ASSERT_THAT(keeper.set_aside("id"), ElementsAre(root("state/rollback/id/data")));
    const auto data = keeper.set_aside("id").front() + scratch.path();
    EXPECT_EQ(text_of(data + "/data/store"), "migrated");
    EXPECT_EQ(text_of(data + "/data/store-wal"), "wal");
    EXPECT_EQ(text_of(data + "/etc/strange"), "strange");
    EXPECT_EQ(text_of(data + "/etc/link/x"), "x");
    EXPECT_EQ(text_of(root("state/rollback/id/added") + root("usr/bin/newer")), "n");
    EXPECT_FALSE(std::filesystem::exists(data + "/usr/bin/tool"));
    EXPECT_THAT(keeper.kept(), IsEmpty());
}

TEST_F(Keeping, SetsAsideWhatWasWrittenToThePackagesFiles) {
    scope.packaged.push_back({root("etc/one"), 3, as_packaged, "", false});
    keep();
    must("cd " + scratch.path() +
         " && printf users >etc/one && printf database >usr/bin/newer && printf x >rpm/db && "
         "printf sed >usr/bin/new && mv usr/bin/new usr/bin/tool");
    EXPECT_THAT(roll_back({root("etc/one"), root("usr/bin/newer"), root("usr/bin/tool")}).differences,
                IsEmpty());
    const auto data = root("state/rollback/id/data") + scratch.path();
    EXPECT_EQ(text_of(data + "/etc/one"), "users");
    EXPECT_EQ(text_of(data + "/usr/bin/newer"), "database");
    EXPECT_EQ(text_of(data + "/usr/bin/tool"), "sed");
    EXPECT_FALSE(std::filesystem::exists(data + "/rpm/db")); // it described packages that are gone
}

TEST_F(Keeping, LeavesWhatTheOldLinkLeadsTo) {
    must("cd " + scratch.path() +
         " && mkdir usr/lib-1 && printf old >usr/lib-1/a && mkdir usr/lib-1/empty && "
         "ln -s lib-1 usr/lib");
    scope.packaged.push_back({root("usr/lib-1/a"), 3, 0, "", false});
    scope.packaged.push_back({root("usr/lib"), 5, 0, "", false});
    const auto before = picture();
    keep();
    must("cd " + scratch.path() +
         " && rm usr/lib && mkdir -p usr/lib/empty && printf new >usr/lib/a && "
         "touch -d 2021-01-01 usr/lib/a && rm usr/lib-1/a");
    EXPECT_THAT(roll_back({root("usr/lib"), root("usr/lib/a"), root("usr/lib/empty")}).differences,
                IsEmpty());
    keeper.discard("id", Keeper::Added::go);
    EXPECT_EQ(picture(), before);
}

TEST_F(Keeping, LeavesPackagedLogsAlone) {
    must("cd " + scratch.path() + " && mkdir usr/log && printf '' >usr/log/btmp");
    scope.logs = {root("usr/log")};
    scope.packaged.push_back({root("usr/log"), 0, 0, "", false});
    scope.packaged.push_back({root("usr/log/btmp"), 0, 0, "", false});
    keep();
    must("printf login >" + root("usr/log/btmp"));
    EXPECT_THAT(roll_back({root("usr/log/btmp")}).differences, IsEmpty());
    EXPECT_EQ(text_of(root("usr/log/btmp")), "login");
}

TEST_F(Keeping, LooksIntoNestedTreesOnce) {
    scope.trees.push_back(root("etc/deep"));
    scope.data.push_back(root("etc/deep"));
    keep();
    must("printf x >" + root("etc/deep/strange"));
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_EQ(text_of(root("state/rollback/id/data") + root("etc/deep/strange")), "x");
}

TEST_F(Keeping, LeavesAloneWhatIsAsItWas) {
    keep();
    struct stat before {};
    ::stat(root("etc/deep/two").c_str(), &before);
    EXPECT_THAT(roll_back().differences, IsEmpty());
    struct stat after {};
    ::stat(root("etc/deep/two").c_str(), &after);
    EXPECT_EQ(before.st_ino, after.st_ino);
    EXPECT_THAT(keeper.set_aside("id"), IsEmpty());
}

TEST_F(Keeping, MayBeCutOffAnywhereAndIsDoneAgain) {
    const auto before = picture();
    keep();
    must("cd " + scratch.path() +
         " && printf x >data/store && printf y >etc/one && rm -r etc/deep usr/bin/tool");
    roll_back();
    // As after an interruption: half is put back, and half is spoiled again.
    must("cd " + scratch.path() + " && rm etc/one && printf z >state/rollback/id/temporary");
    EXPECT_THAT(roll_back().differences, IsEmpty());
    keeper.discard("id", Keeper::Added::go);
    EXPECT_EQ(picture(), before);
    EXPECT_EQ(text_of(root("state/rollback/id/data") + root("data/store")), "x");
}

TEST_F(Keeping, TellsOfALinkThatWasWrittenToInPlace) {
    keep();
    must("printf more >>" + root("usr/bin/tool"));
    EXPECT_THAT(roll_back().differences, ElementsAre(HasSubstr("usr/bin/tool has 8 bytes, not 4")));
}

TEST_F(Keeping, CopiesWhatWasWrittenToInPlaceBefore) {
    scope.packaged[0].modified = 1;
    EXPECT_EQ(keep().links, 0U);
    must("printf more >>" + root("usr/bin/tool"));
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_EQ(text_of(root("usr/bin/tool")), "tool");
}

TEST_F(Keeping, TrustsRpmsDigestOfAFileAsPackagedAlone) {
    scope.packaged[0].sha256 = std::string(64, '0');
    keep();
    EXPECT_THAT(roll_back().differences, ElementsAre(HasSubstr("another content")));
    must("touch " + root("usr/bin/tool"));
    keep();
    EXPECT_THAT(roll_back().differences, IsEmpty());
}

TEST_F(Keeping, PutsNothingBackWhenAKeptFileIsMissing) {
    keep();
    must("printf x >" + root("etc/one") + "; rm $(find " + root("state/rollback/id/kept") +
         " -type f ! -name CACHEDIR.TAG | head -n 1)");
    try {
        roll_back();
        FAIL() << "it took something back";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::rollback_failed);
        EXPECT_THAT(failure.what(), HasSubstr("is missing; nothing was put back"));
    }
    EXPECT_EQ(text_of(root("etc/one")), "x");
}

TEST_F(Keeping, PutsNothingBackWhenAKeptCopyIsShort) {
    keep();
    must("printf x >" + root("etc/one") + "; for kept in $(find " + root("state/rollback/id/kept") +
         " -type f -links 1 ! -name CACHEDIR.TAG); do : >$kept; done");
    try {
        roll_back();
        FAIL() << "it took something back";
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.what(), HasSubstr("has 0 bytes, not"));
    }
    EXPECT_EQ(text_of(root("etc/one")), "x");
}

/// A directory of the tree is a mount of its own.
struct OnAMount : Keeping {
    void SetUp() override {
        Keeping::SetUp();
        if (shell("mount --bind " + root("usr") + " " + root("usr")).status != 0)
            GTEST_SKIP()
                << "a container that may not mount; tests/appliance/test_rollback.py has a /boot of its own";
        mounted = true;
    }
    void TearDown() override {
        if (mounted)
            must("umount " + root("usr"));
    }

    bool mounted = false;
};

TEST_F(OnAMount, HasAStoreOfItsOwnThatIsGivenBackWhenItIsThere) {
    keep();
    must("umount " + root("usr"));
    keeper.discard("id", Keeper::Added::go);
    EXPECT_THAT(keeper.all(), ElementsAre("id"));
    must("mount --bind " + root("usr") + " " + root("usr"));
    keeper.discard("id", Keeper::Added::go);
    EXPECT_THAT(keeper.all(), IsEmpty());
    EXPECT_FALSE(std::filesystem::exists(root("usr") + "/.um-upgrade"));
}

TEST_F(OnAMount, IsNotKeptWhereOthersCouldExchangeIt) {
    must("chown 12 " + root("usr"));
    EXPECT_THAT(keep().unkept, ElementsAre(HasSubstr(root("usr") + " belongs to others than root")));
    must("printf new >" + root("usr/bin/tool"));
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_EQ(text_of(root("usr/bin/tool")), "new");
}

TEST_F(OnAMount, IsNotKeptInADirectoryThatSomebodyPutThere) {
    must("chmod 1777 " + root("usr") + " && mkdir " + root("usr/.um-upgrade") + " && chown 12 " +
         root("usr/.um-upgrade"));
    EXPECT_THAT(keep().unkept, ElementsAre(HasSubstr("belongs to others than root")));
    EXPECT_FALSE(std::filesystem::exists(root("usr/.um-upgrade/id")));
}

TEST_F(OnAMount, IsPutBackWhereOthersCouldHaveExchangedItAndDidNot) {
    keep();
    must("printf new >" + root("usr/bin/new") + " && mv " + root("usr/bin/new") + " " + root("usr/bin/tool") +
         " && chown 12 " + root("usr"));
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_EQ(text_of(root("usr/bin/tool")), "tool");
}

TEST_F(OnAMount, IsNotPutBackWhereSomebodyHasExchangedIt) {
    keep();
    must("cd " + root("usr") +
         " && chown 12 . && mv .um-upgrade old && cp -a old .um-upgrade && rm -r old && " +
         "for kept in $(find .um-upgrade/id/kept -type f); do size=$(stat -c %s $kept); "
         "head -c $size /dev/zero | tr '\\0' x >$kept; done; printf new >bin/tool");
    try {
        roll_back();
        ADD_FAILURE() << "it took something back";
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.what(), HasSubstr("it is not what was kept"));
    }
    EXPECT_EQ(text_of(root("usr/bin/tool")), "new");
}

TEST_F(OnAMount, IsNotPutBackOntoAnotherOne) {
    keep();
    must("printf x >" + root("etc/one") + "; mount --bind " + root("usr/bin") + " " + root("usr/bin"));
    try {
        roll_back();
        ADD_FAILURE() << "it took something back";
    } catch (const Failure& failure) {
        EXPECT_THAT(failure.what(), HasSubstr("by now, and what is kept of it on"));
    }
    must("umount " + root("usr/bin"));
    EXPECT_EQ(text_of(root("etc/one")), "x");
}

TEST_F(Keeping, LeavesProtectedWhatHasAnotherName) {
    keep();
    if (shell("chattr +i " + root("usr/bin/tool")).status != 0)
        GTEST_SKIP() << "a file system on which no file can be immutable";
    keeper.discard("id", Keeper::Added::go);
    const auto flags = shell("lsattr " + root("usr/bin/tool")).output;
    must("chattr -i " + root("usr/bin/tool"));
    EXPECT_THAT(flags.substr(0, flags.find(' ')), HasSubstr("i"));
    EXPECT_FALSE(std::filesystem::exists(root("state/rollback/id")));
}

/// The names that files are renamed to in these directories, in their order.
struct Arrivals {
    explicit Arrivals(const std::vector<std::string>& directories) {
        for (const auto& directory : directories)
            EXPECT_GE(::inotify_add_watch(fd.get(), directory.c_str(), IN_MOVED_TO), 0);
    }
    std::vector<std::string> seen() const {
        std::vector<std::string> names;
        alignas(inotify_event) char buffer[4096];
        const auto size = ::read(fd.get(), buffer, sizeof buffer);
        for (ssize_t at = 0; at < size;) {
            const auto* const event = reinterpret_cast<const inotify_event*>(buffer + at);
            names.emplace_back(event->name);
            at += static_cast<ssize_t>(sizeof *event + event->len);
        }
        return names;
    }

    Fd fd{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
};

TEST_F(Keeping, PutsLibrariesBackLast) {
    must("mkdir " + root("lib") + " && printf old >" + root("lib/libtool.so.1"));
    scope.packaged.insert(scope.packaged.begin(), {root("lib/libtool.so.1"), 3, 0, "", false});
    keep();
    must("printf newer >" + root("lib/libtool.so.1") + " && printf newer >" + root("usr/bin/tool.conf"));
    const Arrivals arrivals({root("lib"), root("usr/bin")});
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_THAT(arrivals.seen(), ElementsAre("tool.conf", "libtool.so.1"));
}

TEST_F(Keeping, PutsNothingBackByAListThatIsNotWhole) {
    keep();
    const auto list = root("state/rollback/id/manifest");
    must("sed -i 's/one/two/' " + list);
    EXPECT_THROW(roll_back(), Failure);
    must("head -c 100 " + list + " >" + list + ".2 && mv " + list + ".2 " + list);
    EXPECT_THROW(roll_back(), Failure);
}

TEST_F(Keeping, LeavesOutWhatItIsTold) {
    must("mkdir " + root("etc/left-out") + " && printf a >" + root("etc/left-out/log"));
    keep();
    must("printf b >" + root("etc/left-out/log") + " && printf c >" + root("etc/left-out/more"));
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_EQ(text_of(root("etc/left-out/log")), "b");
    EXPECT_EQ(text_of(root("etc/left-out/more")), "c");
}

TEST_F(Keeping, IsNoRollbackUntilItIsComplete) {
    EXPECT_THROW(keeper.keep("id", scope, [](const auto&) { throw SystemFailure("stopped"); }),
                 SystemFailure);
    EXPECT_THAT(keeper.kept(), IsEmpty());
    EXPECT_THAT(keeper.all(), ElementsAre("id"));
    keeper.discard("id", Keeper::Added::go);
    EXPECT_THAT(keeper.all(), IsEmpty());
    EXPECT_EQ(text_of(root("usr/bin/tool")), "tool");
}

TEST_F(Keeping, CountsWhatAnEarlierOnesFilesMakeFree) {
    must("head -c 3M /dev/zero >" + root("etc/large"));
    const auto before = keeper.cost(scope);
    ASSERT_EQ(before.needs.size(), 1U);
    EXPECT_GT(before.needs[0].bytes, 3U << 20);
    keep();
    EXPECT_LT(keeper.cost(scope).needs[0].bytes, 1U << 20);
    EXPECT_EQ(keeper.cost(scope).bytes, before.bytes);
}

TEST_F(Keeping, GivesAllItsSpaceBack) {
    keep();
    EXPECT_THAT(keeper.kept(), ElementsAre("id"));
    keeper.discard("id", Keeper::Added::go);
    EXPECT_FALSE(std::filesystem::exists(root("state/rollback/id")));
    struct stat status {};
    ::stat(root("usr/bin/tool").c_str(), &status);
    EXPECT_EQ(status.st_nlink, 1U);
}

TEST_F(Keeping, WaitsForNobodyWhoChangesPackages) {
    must("touch " + root("rpm/.rpm.lock"));
    const auto fd = open_file(root("rpm/.rpm.lock"), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    ASSERT_EQ(::fcntl(fd.get(), F_OFD_SETLK, &lock), 0);
    try {
        keep();
        FAIL() << "it copied a database that is being written to";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::packages_locked);
    }
}

TEST_F(Keeping, KeepsWhatALinkLeadsToAndTheLink) {
    must("cd " + scratch.path() + " && mkdir real && printf r >real/file && ln -s real shown");
    scope.trees.push_back(root("shown"));
    keep();
    must("cd " + scratch.path() + " && rm shown && mkdir shown && printf s >real/file");
    EXPECT_THAT(roll_back().differences, IsEmpty());
    EXPECT_TRUE(std::filesystem::is_symlink(root("shown")));
    EXPECT_EQ(text_of(root("shown/file")), "r");
}

TEST(KeptFiles, SurviveTheWayWithAnyPath) {
    KeptFiles files;
    files.stores = {"/a store"};
    files.trees = {"/t\nree", "/100%"};
    files.absent = {"/\xff\xfe"};
    Entry entry;
    entry.path = "/a\tpath\n=,%";
    entry.mode = 0100644;
    entry.modified_ns = -1;
    entry.flags = 0x30;
    entry.set_aside = true;
    entry.text = "x";
    entry.attributes = {{"user.a", std::string("\0\x01=,", 4)}, {"user.b", ""}};
    files.entries = {entry};
    const auto read = parse_kept_files(to_text(files));
    EXPECT_EQ(read.stores, files.stores);
    EXPECT_EQ(read.trees, files.trees);
    EXPECT_EQ(read.absent, files.absent);
    ASSERT_EQ(read.entries.size(), 1U);
    EXPECT_EQ(read.entries[0].path, entry.path);
    EXPECT_EQ(read.entries[0].modified_ns, -1);
    EXPECT_EQ(read.entries[0].flags, entry.flags);
    EXPECT_TRUE(read.entries[0].set_aside);
    EXPECT_EQ(read.entries[0].attributes, entry.attributes);
}

} // namespace um::test
