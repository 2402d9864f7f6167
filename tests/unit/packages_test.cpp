// What the media contain, what is installed, and whether the change installed it. Also the commands of the
// package manager.

#include "media/content.hpp"
#include "packages/database.hpp"
#include "packages/kernels.hpp"
#include "packages/package_manager.hpp"
#include "packages/packages.hpp"
#include "packages/repair.hpp"

#include "unit/story.hpp"

#include <gmock/gmock.h>

#include <filesystem>

using namespace um;
using namespace um::test;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

Package package(const std::string& name, const std::string& version, const std::string& arch = "x86_64",
                const std::string& epoch = "0") {
    return {name, epoch, version, "1", arch};
}

/// A machine with canned answers of rpm.
struct RpmAppliance : FakeAppliance {
    using FakeAppliance::FakeAppliance;
    CommandResult run(const std::vector<std::string>& command, const std::string&,
                      std::chrono::seconds) override {
        commands.push_back(command);
        const auto answer = answers.find(command.at(1));
        return answer == answers.end() ? CommandResult{0, "", false} : answer->second;
    }
    bool program_exists(const std::string& name) override { return programs.count(name) > 0; }
    std::map<std::string, CommandResult> answers{{"--eval", {0, "/var/lib/rpm\n", false}}};
    std::vector<std::vector<std::string>> commands;
    std::set<std::string> programs{"dnf", "yum"};
};

struct Manager : Story {
    FakeMedia media{world};
    FakeMounts mounts{world};
    FakeServices services{world, [] {}};
    RpmAppliance appliance{world};
    FakeKeeper keeper{world};
    Ports ports{media, crypto, mounts, services, appliance, terminal, journal, keeper};
    std::string work = scratch / "work";
};

} // namespace

TEST(Packages, AreReadFromLinesAndWrittenBack) {
    const std::string text = "a|0|1.0|1.ph3|noarch\nb|2|3~rc1|4|x86_64\n";
    const auto packages = parse_packages(text);
    ASSERT_EQ(packages.size(), 2U);
    EXPECT_EQ(packages[1], (Package{"b", "2", "3~rc1", "4", "x86_64"}));
    EXPECT_EQ(to_text(packages), text);
}

TEST(Packages, AreNotReadFromWhatRpmSaysBesides) {
    EXPECT_THAT(parse_packages("warning: x.rpm: Header V4 RSA/SHA256 Signature, key ID 1: NOKEY\n\na|0|1|1\n"
                               "a|0||1|noarch\na|0|1|1|noarch|more\npackage kernel is not installed\n"),
                IsEmpty());
}

TEST(Packages, ThatAreInstalledTwiceAreFoundButForKernelsAndKeys) {
    const auto package = [](const std::string& name, const std::string& version, const std::string& arch) {
        return Package{name, "0", version, "1", arch};
    };
    InstalledPackages inventory;
    inventory.packages = {package("a", "1", "noarch"),          package("a", "2", "noarch"),
                          package("lib", "1", "x86_64"),        package("lib", "1", "i686"),
                          package("linux", "1", "x86_64"),      package("linux", "2", "x86_64"),
                          package("gpg-pubkey", "1", "(none)"), package("gpg-pubkey", "2", "(none)")};
    inventory.side_by_side = {"linux"};
    EXPECT_EQ(duplicates(inventory), std::vector<std::string>{"a.noarch is installed 2 times"});
}

TEST(Packages, CompareAsForRpm) {
    EXPECT_GT(compare(package("a", "1", "noarch", "1"), package("a", "2")), 0);
    EXPECT_LT(compare(package("a", "1.9"), package("a", "1.10")), 0);
    auto newer = package("a", "1");
    newer.release = "1.1";
    EXPECT_LT(compare(package("a", "1"), newer), 0);
    EXPECT_EQ(compare(package("a", "1"), package("a", "1")), 0);
}

TEST(Change, IsWholeWhenWhatIsInstalledIsAsTheMediaBringIt) {
    const std::vector<Package> media{package("a", "2"), package("b", "3"), package("new", "1")};
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "2"), package("b", "3"), package("other", "1")}, {}}),
                IsEmpty());
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "2.1")}, {}}), IsEmpty()) << "newer than the media";
    EXPECT_THAT(shortcomings({package("a", "1"), package("a", "2")}, {}, {{package("a", "2")}, {}}),
                IsEmpty());
    EXPECT_THAT(shortcomings({}, {}, {{package("a", "2"), package("a", "1")}, {}}), IsEmpty());
}

TEST(Change, IsNotWholeWhileAPackageIsBehindOrTwiceThere) {
    const std::vector<Package> media{package("a", "2"), package("b", "3")};
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "1"), package("b", "3")}, {}}),
                ElementsAre("a.x86_64 is at 1-1, the media bring 2-1"));
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "2"), package("a", "1")}, {}}),
                ElementsAre("a.x86_64 is installed 2 times"));
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "1", "noarch"), package("b", "1")}, {}}),
                ElementsAre("a is at 1-1, the media bring 2-1", "b.x86_64 is at 1-1, the media bring 3-1"));
}

TEST(Change, LetsKernelsStandSideBySideButWantsTheNewOne) {
    const std::vector<Package> media{package("linux", "5")};
    EXPECT_THAT(shortcomings(media, {}, {{package("linux", "4"), package("linux", "5")}, {"linux"}}),
                IsEmpty());
    EXPECT_THAT(shortcomings(media, {}, {{package("linux", "3"), package("linux", "4")}, {"linux"}}),
                ElementsAre("linux.x86_64 is at 4-1, the media bring 5-1"));
}

TEST(Change, IsNotWholeWhenThePackagesOfTheMediaAreGone) {
    const std::vector<Package> media{package("a", "2"), package("new", "1")};
    EXPECT_THAT(shortcomings(media, {package("a", "1"), package("other", "1")}, {{}, {}}),
                ElementsAre("a is no longer installed"));
}

TEST(Change, KeepsArchitecturesApart) {
    const std::vector<Package> media{package("a", "2"), package("a", "2", "i686")};
    EXPECT_THAT(shortcomings(media, {}, {{package("a", "2"), package("a", "1", "i686")}, {}}),
                ElementsAre("a.i686 is at 1-1, the media bring 2-1"));
}

TEST_F(Manager, IsAskedForWhatIsInstalledAndWhatStandsSideBySide) {
    appliance.answers["-qa"] = {0, "a|0|1|1|noarch\nlinux-esx|0|4|1|x86_64\n", false};
    appliance.answers["-q"] = {1, "no package provides kernel\nkernel-core|0|5|1|x86_64\n", false};
    const auto inventory = installed_packages(appliance);
    EXPECT_THAT(inventory.packages, ElementsAre(package("a", "1", "noarch"), package("linux-esx", "4")));
    EXPECT_THAT(inventory.side_by_side, ElementsAre("kernel-core", "linux-esx"));
    appliance.answers["-qa"] = {1, "error: rpmdb open failed\n", false};
    EXPECT_THROW(installed_packages(appliance), SystemFailure);
}

TEST_F(Manager, NamesMissingFilesButNoConfigurationAndNoDocumentation) {
    appliance.answers["-V"] = {1,
                               "missing     /usr/lib/x y\nmissing   c /etc/x\nmissing   d /usr/share/doc/x\n"
                               "S.5....T.    /usr/lib/z\n",
                               false};
    EXPECT_THAT(missing_files(appliance, {package("a", "1")}), ElementsAre("/usr/lib/x y"));
    EXPECT_EQ(appliance.commands.back().back(), "a-1-1.x86_64");
    EXPECT_THAT(missing_files(appliance, {}), IsEmpty());
}

TEST_F(Manager, NamesWhatAnotherPackageShouldHaveTakenThePlaceOf) {
    appliance.answers["-V"] = {1,
                               "Unsatisfied dependencies for java11-11-1.noarch:\n"
                               "\tjava11 < 17 is obsoleted by (installed) java17-17-1.noarch\n",
                               false};
    EXPECT_THAT(left_obsolete(appliance, {package("java11", "11")}),
                ElementsAre("java11 < 17 is obsoleted by (installed) java17-17-1.noarch"));
    EXPECT_THAT(left_obsolete(appliance, {}), IsEmpty());
}

TEST_F(Manager, IsTheFirstThatIsThereWithAConfigurationOfItsOwn) {
    {
        const PackageManager manager(ports, work, "/mnt/upgrade/repo");
        EXPECT_EQ(manager.name(), "dnf");
        EXPECT_THAT(manager.upgrade(),
                    ElementsAre("dnf", "--config", work + "/packages.conf", "-y", "upgrade"));
        EXPECT_NE(text_of(work + "/repos/um-upgrade.repo").find("baseurl=file:///mnt/upgrade/repo\n"),
                  std::string::npos);
        for (const std::string key : {"reposdir", "repodir"})
            EXPECT_NE(text_of(work + "/packages.conf").find(key + "=" + work + "/repos\n"),
                      std::string::npos);
    }
    EXPECT_FALSE(std::filesystem::exists(work));
    appliance.programs.insert("tdnf");
    EXPECT_EQ(PackageManager(ports, work, "/r").name(), "tdnf");
    appliance.programs.clear();
    EXPECT_THROW(PackageManager(ports, work, "/r"), Failure);
}

TEST_F(Manager, TestsATransactionBeforeItChangesAnything) {
    EXPECT_EQ(PackageManager(ports, work, "/r").objection(), "");
    EXPECT_THAT(appliance.commands.back(), ElementsAre("dnf", "--config", work + "/packages.conf", "-y",
                                                       "--setopt=tsflags=test", "upgrade"));
    appliance.answers["--config"] = {1, "Error: \n Problem: nothing provides x\n", false};
    EXPECT_EQ(PackageManager(ports, work, "/r").objection(),
              "dnf ended with status 1: Error:   Problem: nothing provides x");
    appliance.programs = {"tdnf"};
    appliance.answers["--config"] = {8, "Error(1032) : Operation aborted.\n", false};
    EXPECT_EQ(PackageManager(ports, work, "/r").objection(), "");
    EXPECT_THAT(appliance.commands.back(),
                ElementsAre("tdnf", "--config", work + "/packages.conf", "--assumeno", "upgrade"));
}

TEST(Recovery, FindsWhatWasReplacedAndNotYetErased) {
    const std::vector<Package> media{package("a", "2"), package("b", "2"), package("linux", "5")};
    const InstalledPackages appliance{{package("a", "1"), package("a", "2"), package("b", "1"),
                                       package("linux", "4"), package("linux", "5"), package("other", "1")},
                                      {"linux"}};
    EXPECT_THAT(leftovers(media, appliance), ElementsAre(package("a", "1")));
}

TEST(Recovery, FindsWhatWasInstalledButPerhapsNotFinished) {
    const std::vector<Package> media{package("a", "2"), package("b", "2"), package("c", "1")};
    const InstalledPackages appliance{{package("a", "2"), package("b", "1"), package("c", "1")}, {}};
    EXPECT_THAT(unfinished(media, {package("a", "1"), package("b", "1"), package("c", "1")}, appliance),
                ElementsAre(package("a", "2")));
}

TEST_F(Manager, ErasesLeftoversWithoutTheirScripts) {
    std::vector<std::string> said;
    const auto say = [&](const std::string& line) { said.push_back(line); };
    erase(appliance, {}, say);
    EXPECT_THAT(appliance.commands, IsEmpty());
    erase(appliance, {package("a", "1", "noarch")}, say);
    EXPECT_THAT(appliance.commands.back(),
                ElementsAre("rpm", "-e", "--nodeps", "--noscripts", "--notriggers", "a-1-1.noarch"));
    EXPECT_THAT(said, ElementsAre("erasing a-1-1.noarch, which the change had replaced already"));
    appliance.answers["-e"] = {1, "error: no", false};
    EXPECT_THROW(erase(appliance, {package("a", "1")}, say), Failure);
}

TEST_F(Manager, RebuildsADatabaseThatCannotBeRead) {
    const auto say = [](const std::string&) {};
    repair_database(appliance, say);
    EXPECT_EQ(appliance.commands.size(), 2U); // the database is sound and can be read
    appliance.answers["-qa"] = {1, "", false, "error: db5 error"};
    try {
        repair_database(appliance, say);
        ADD_FAILURE() << "was taken for repaired";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::packages_damaged);
    }
    EXPECT_EQ(std::count(appliance.commands.begin(), appliance.commands.end(),
                         (std::vector<std::string>{"rpm", "--rebuilddb"})),
              1);
}

TEST_F(Manager, PutsConfigurationAsideThatWasCutOffAndLeavesTheOperators) {
    const auto empty = scratch.file("empty.conf", "");
    const auto torn = scratch.file("torn.conf", "half a li");
    const auto operators = scratch.file("operators.conf", "mine");
    const auto program = scratch.file("program", "");
    appliance.answers["-Vp"] = {1,
                                "S.5......  c " + empty + "\n..5......  c " + torn + "\nS.5....T.  c " +
                                    operators + "\nS.5......    " + program + "\nmissing   c /no/such\n",
                                false};
    const auto say = [](const std::string&) {};
    put_damaged_configuration_aside(appliance, {"/m/a.rpm"}, ".aside", say);
    EXPECT_EQ(um::test::names_in(scratch.path()),
              (std::vector<std::string>{"empty.conf.aside", "operators.conf", "program", "snapshot.ini",
                                        "torn.conf.aside"}));
    scratch.file("empty.conf", ""); // an existing file is never overwritten
    EXPECT_THROW(put_damaged_configuration_aside(appliance, {"/m/a.rpm"}, ".aside", say), SystemFailure);
    appliance.commands.clear();
    put_damaged_configuration_aside(appliance, {}, ".aside", say);
    EXPECT_THAT(appliance.commands, IsEmpty());
}

TEST_F(Manager, ForgetsWhatIsNewHereAndInstallsItAfresh) {
    const auto say = [](const std::string&) {};
    forget(appliance, {package("java17", "17")}, say);
    EXPECT_THAT(appliance.commands.back(), ElementsAre("rpm", "-e", "--justdb", "--nodeps", "--noscripts",
                                                       "--notriggers", "java17-17-1.x86_64"));
    const PackageManager manager(ports, work, "/r");
    EXPECT_THAT(
        manager.install({package("java17", "17")}),
        ElementsAre("dnf", "--config", work + "/packages.conf", "-y", "install", "java17-17-1.x86_64"));
    EXPECT_THAT(manager.reinstall({package("a", "1"), package("b", "2")}),
                ElementsAre("dnf", "--config", work + "/packages.conf", "-y", "reinstall", "a-1-1.x86_64",
                            "b-2-1.x86_64"));
}

TEST_F(Manager, MissesAKernelThatCannotBeBooted) {
    appliance.answers["-ql"] = {0, "/boot/System.map-6.1\n/boot/vmlinuz-6.1\n/lib/modules/6.1\n", false};
    const std::vector<Package> kernels{package("linux", "6.1")};
    EXPECT_THAT(boot_shortcomings(appliance, kernels, {}),
                ElementsAre("the kernel /boot/vmlinuz-6.1 is missing or empty"));
    world.files["/boot/vmlinuz-6.1"] = 1;
    EXPECT_THAT(boot_shortcomings(appliance, kernels, {}), IsEmpty()); // the running kernel had no initramfs
    const std::vector<std::string> forms{"/boot/initrd.img-*"};
    EXPECT_THAT(boot_shortcomings(appliance, kernels, forms),
                ElementsAre("the initramfs /boot/initrd.img-6.1 is missing or empty"));
    world.files["/boot/initrd.img-6.1"] = 0;
    EXPECT_EQ(boot_shortcomings(appliance, kernels, forms).size(), 1U);
    world.files["/boot/initrd.img-6.1"] = 1;
    EXPECT_THAT(boot_shortcomings(appliance, kernels, forms), IsEmpty());
    appliance.answers["-ql"] = {1, "", false, "error: no"};
    EXPECT_THROW(boot_shortcomings(appliance, kernels, forms), SystemFailure);
}

TEST_F(Manager, KnowsTheFormsOfTheInitramfsOfTheKernelThatRuns) {
    EXPECT_THAT(initramfs_forms(appliance), IsEmpty());
    world.files["/boot/initramfs-5.0-old.img"] = 1;
    world.files["/boot/initrd.img-4.9"] = 1;
    EXPECT_THAT(initramfs_forms(appliance), ElementsAre("/boot/initramfs-*.img"));
}

TEST_F(Manager, TakesSourcesForNoPackages) {
    world.paths = {mount_point + "/a-1.x86_64.rpm", mount_point + "/a-1.src.rpm",
                   mount_point + "/b-1.nosrc.rpm"};
    world.mounted = 1;
    world.paths.insert(mount_point + "/repodata/repomd.xml");
    const auto files = read_content(ports, config).package_files;
    EXPECT_THAT(files, testing::Contains(mount_point + "/a-1.x86_64.rpm"));
    EXPECT_THAT(files, testing::Each(mount_point + "/a-1.x86_64.rpm"));
}

TEST_F(Manager, KnowsWhatWasInstalledLast) {
    appliance.answers["-qa"] = {0, "100\na|0|1|1|noarch\n300\nb|0|1|1|noarch\n200\nc|0|1|1|noarch\n", false};
    const auto last = look_at_database(appliance).newest;
    ASSERT_TRUE(last);
    EXPECT_EQ(last->package, "b");
    EXPECT_EQ(last->time, std::chrono::system_clock::time_point(std::chrono::seconds(300)));
}

TEST_F(Manager, LooksForWhoWritesToTheDatabaseAndForDamage) {
    EXPECT_FALSE(look_at_database(appliance).writer);
    appliance.answers["--verifydb"] = {1, "", false, "error: page 3"};
    EXPECT_EQ(look_at_database(appliance).damage, "rpm --verifydb ended with status 1: error: page 3");
    world.lock_holder = "dnf (process 7)"; // rpm would wait until it ends
    EXPECT_EQ(look_at_database(appliance).writer, "dnf (process 7)");
    EXPECT_EQ(look_at_database(appliance).damage, "");
}

TEST_F(Manager, KnowsWhatTheMediaObsolete) {
    appliance.answers["-qp"] = {0, "Na|0|1|1|noarch\nOjava11\nOfoo\n", false};
    EXPECT_THAT(obsoleted_by(read_offered(appliance, {"/r/a.rpm"})),
                testing::UnorderedElementsAre("foo", "java11"));
    EXPECT_THAT(without({"foo"}, {package("foo", "1"), package("a", "1")}), ElementsAre(package("a", "1")));
    EXPECT_THAT(obsoleted_by(read_offered(appliance, {})), IsEmpty());
}

TEST_F(Manager, RemovesWhatRpmWasWriting) {
    const auto mine = scratch.file("a.conf", "");
    for (const auto* name : {"a.conf;5f3a1b2c", "a.conf;5f3a1b2", "a.conf;5f3a1b2x", "b.conf;5f3a1b2c"})
        scratch.file(name, "half");
    const OfferedPackage offer{
        package("a", "1"), "/m/a.rpm", {}, {}, {}, {{mine, 1}, {"/no/such/directory/file", 1}}};
    std::vector<std::string> said;
    remove_unpacked({offer}, [&](const std::string& line) { said.push_back(line); });
    EXPECT_THAT(um::test::names_in(scratch.path()), ElementsAre("a.conf", "a.conf;5f3a1b2", "a.conf;5f3a1b2x",
                                                                "b.conf;5f3a1b2c", "snapshot.ini"));
    EXPECT_EQ(said.size(), 1U);
    remove_unpacked({}, [](const std::string&) {});
}

TEST_F(Manager, HasRpmsWordsForDamageWhereRpmCannotEvenSayWhereItsDatabaseIs) {
    appliance.answers["--eval"] = {127, "", false, "librpm.so.9: cannot open"};
    appliance.answers["--verifydb"] = {127, "", false, "librpm.so.9: cannot open"};
    EXPECT_EQ(look_at_database(appliance).damage,
              "rpm --verifydb ended with status 127: librpm.so.9: cannot open");
}

TEST_F(Manager, ReadsTheHeadersOfManyPackagesInBatches) {
    struct Named : RpmAppliance {
        using RpmAppliance::RpmAppliance;
        CommandResult run(const std::vector<std::string>& command, const std::string&,
                          std::chrono::seconds) override {
            std::string text;
            for (const auto& word : command)
                if (word.ends_with(".rpm"))
                    text += fmt::format("N{}|0|1|1|noarch\nPp\nF7 /usr/{}\n", word, word);
            commands.push_back(command);
            return {0, text, false};
        }
    } many(world);
    std::vector<std::string> files;
    for (int i = 0; i < 401; ++i)
        files.push_back(fmt::format("{}.rpm", i));
    const auto offered = read_offered(many, files);
    ASSERT_EQ(offered.size(), files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        EXPECT_EQ(offered[i].file, files[i]);
        EXPECT_EQ(offered[i].package.name, files[i]);
        EXPECT_EQ(offered[i].files.size(), 1U);
    }
    EXPECT_EQ(many.commands.size(), 3U);
}
