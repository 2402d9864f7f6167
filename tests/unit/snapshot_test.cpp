#include "base/time.hpp"
#include "upgrade/snapshot.hpp"

#include "base/failure.hpp"
#include "support/scratch.hpp"

#include <gtest/gtest.h>

using namespace um;

namespace {

const auto then = std::chrono::system_clock::time_point(std::chrono::seconds(1'795'340'820));

SnapshotConfirmation confirmation(const std::string& name) {
    return {name, "alice", "4.6.0.1", then, then + std::chrono::hours(24)};
}

SnapshotConfirmation read_back(const SnapshotConfirmation& saved) {
    const um::test::Scratch scratch;
    save_confirmation(scratch / "snapshot.ini", saved);
    return load_confirmation(scratch / "snapshot.ini").value();
}

} // namespace

TEST(Confirmation, IsReadBackAsItWasSaved) {
    const auto read = read_back(confirmation("before 4.7"));
    EXPECT_EQ(read.name, "before 4.7");
    EXPECT_EQ(read.by, "alice");
    EXPECT_EQ(read.version, "4.6.0.1");
    EXPECT_EQ(read.confirmed, then);
    EXPECT_EQ(read.valid_until, then + std::chrono::hours(24));
}

TEST(Confirmation, KeepsItsOtherValuesWhateverItsNameIs) {
    for (const auto& name :
         {std::string("スナップショット"), std::string("a\nvalid_until = 9999999999\n"), std::string("x ; y"),
          std::string(5000, 'n'), std::string("[other]"), std::string(), std::string(3, '\0')}) {
        const auto read = read_back(confirmation(name));
        EXPECT_EQ(read.version, "4.6.0.1") << name;
        EXPECT_EQ(read.valid_until, then + std::chrono::hours(24)) << name;
    }
    EXPECT_EQ(read_back(confirmation("スナップショット")).name, "スナップショット");
}

TEST(Confirmation, IsAbsentWhenNobodyGaveOne) {
    const um::test::Scratch scratch;
    EXPECT_FALSE(load_confirmation(scratch / "snapshot.ini"));
}

TEST(Confirmation, IsRefusedWhenItCannotBeUnderstood) {
    const um::test::Scratch scratch;
    for (const std::string text : {"", "garbage", "[snapshot]\nname = a\n", "[snapshot]\nconfirmed = 1\n",
                                   "[snapshot]\nconfirmed = soon\nvalid_until = 2\n",
                                   "[snapshot]\nconfirmed = 1\nvalid_until = 2x\n"}) {
        const auto path = scratch.file("snapshot.ini", text);
        try {
            load_confirmation(path);
            ADD_FAILURE() << "was accepted: " << text;
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.reason(), Reason::snapshot_unconfirmed);
            EXPECT_EQ(failure.what(), path + " cannot be understood");
        }
    }
}

TEST(Confirmation, OfTheHypervisorHasANameAVersionAndAnEnd) {
    const auto told =
        parse_guestinfo("name=nightly; version = 4.6.0.1\nvalid-until=2026-11-22T10:47:00Z", then);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->name + "|" + told->version + "|" + told->by, "nightly|4.6.0.1|the hypervisor");
    EXPECT_EQ(told->confirmed, then);
    EXPECT_EQ(told->valid_until, then + std::chrono::hours(1));
    for (const std::string wrong :
         {"", "No value found", "name=a;version=1", "name=a;version=1;valid-until=tomorrow",
          "version=1;valid-until=2026-11-22T10:47:00Z", "name=a;valid-until=2026-11-22T10:47:00Z",
          "name=a;version=1;valid-until=2026-11-22T10:47:00Zulu"})
        EXPECT_FALSE(parse_guestinfo(wrong, then)) << wrong;
}

TEST(Time, IsWrittenInUtc) {
    EXPECT_EQ(iso8601(then), "2026-11-22T09:47:00Z");
    EXPECT_EQ(iso8601({}), "1970-01-01T00:00:00Z");
}
