// libblkid and libmount, which fail here on demand. The scenarios of the appliance test mounts that succeed.

#include "base/failure.hpp"
#include "system/libmount_mounts.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <blkid.h>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <libmount.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

using namespace um;
using testing::_;
using testing::DoAll;
using testing::NiceMock;
using testing::Return;
using testing::SetArgPointee;
using testing::StrEq;

namespace {

struct LibmountMock : test::Wrapped<LibmountMock> {
    MOCK_METHOD(libmnt_context*, mnt_new_context, ());
    MOCK_METHOD(void, mnt_free_context, (libmnt_context*));
    MOCK_METHOD(int, mnt_context_set_target, (libmnt_context*, const char*));
    MOCK_METHOD(int, mnt_context_set_source, (libmnt_context*, const char*));
    MOCK_METHOD(int, mnt_context_set_fstype, (libmnt_context*, const char*));
    MOCK_METHOD(int, mnt_context_set_options, (libmnt_context*, const char*));
    MOCK_METHOD(int, mnt_context_mount, (libmnt_context*));
    MOCK_METHOD(int, mnt_context_umount, (libmnt_context*));
    MOCK_METHOD(int, mnt_context_get_excode, (libmnt_context*, int, char*, size_t));
    MOCK_METHOD(blkid_probe, blkid_new_probe, ());
    MOCK_METHOD(void, blkid_free_probe, (blkid_probe));
    MOCK_METHOD(int, blkid_probe_set_device, (blkid_probe, int, blkid_loff_t, blkid_loff_t));
    MOCK_METHOD(int, blkid_probe_enable_superblocks, (blkid_probe, int));
    MOCK_METHOD(int, blkid_do_safeprobe, (blkid_probe));
    LibmountMock();

    int contexts = 0; ///< made and not freed
    int probes = 0;
};

} // namespace

UM_WRAP(LibmountMock, libmnt_context*, mnt_new_context, (), ())
UM_WRAP(LibmountMock, void, mnt_free_context, (libmnt_context * context), (context))
UM_WRAP(LibmountMock, int, mnt_context_set_target, (libmnt_context * context, const char* text),
        (context, text))
UM_WRAP(LibmountMock, int, mnt_context_set_source, (libmnt_context * context, const char* text),
        (context, text))
UM_WRAP(LibmountMock, int, mnt_context_set_fstype, (libmnt_context * context, const char* text),
        (context, text))
UM_WRAP(LibmountMock, int, mnt_context_set_options, (libmnt_context * context, const char* text),
        (context, text))
UM_WRAP(LibmountMock, int, mnt_context_mount, (libmnt_context * context), (context))
UM_WRAP(LibmountMock, int, mnt_context_umount, (libmnt_context * context), (context))
UM_WRAP(LibmountMock, int, mnt_context_get_excode,
        (libmnt_context * context, int result, char* text, size_t size), (context, result, text, size))
UM_WRAP(LibmountMock, blkid_probe, blkid_new_probe, (), ())
UM_WRAP(LibmountMock, void, blkid_free_probe, (blkid_probe probe), (probe))
UM_WRAP(LibmountMock, int, blkid_probe_set_device,
        (blkid_probe probe, int fd, blkid_loff_t from, blkid_loff_t size), (probe, fd, from, size))
UM_WRAP(LibmountMock, int, blkid_probe_enable_superblocks, (blkid_probe probe, int on), (probe, on))
UM_WRAP(LibmountMock, int, blkid_do_safeprobe, (blkid_probe probe), (probe))

LibmountMock::LibmountMock() {
    ON_CALL(*this, mnt_new_context).WillByDefault([this] {
        ++contexts;
        return __real_mnt_new_context();
    });
    ON_CALL(*this, mnt_free_context).WillByDefault([this](libmnt_context* context) {
        --contexts;
        __real_mnt_free_context(context);
    });
    ON_CALL(*this, blkid_new_probe).WillByDefault([this] {
        ++probes;
        return __real_blkid_new_probe();
    });
    ON_CALL(*this, blkid_free_probe).WillByDefault([this](blkid_probe probe) {
        --probes;
        __real_blkid_free_probe(probe);
    });
    UM_PASS_ON(mnt_context_set_target);
    UM_PASS_ON(mnt_context_set_source);
    UM_PASS_ON(mnt_context_set_fstype);
    UM_PASS_ON(mnt_context_set_options);
    UM_PASS_ON(blkid_probe_set_device);
    UM_PASS_ON(blkid_probe_enable_superblocks);
    UM_PASS_ON(blkid_do_safeprobe);
    // mnt_context_mount, _umount and _get_excode reach no real function: tests must not mount anything.
}

namespace {

/// The least that libblkid recognizes as ISO 9660: a primary volume descriptor.
std::string iso9660() {
    std::string image(64 * 1024, '\0');
    image.replace(32768, 7,
                  "\x01"
                  "CD001\x01");
    return image;
}

/// What is behind a loop device. Nothing if nothing is.
std::optional<loop_info64> loop_at(const std::string& node) {
    const Fd fd(::open(node.c_str(), O_RDONLY | O_CLOEXEC));
    loop_info64 info{};
    return ::ioctl(fd.get(), LOOP_GET_STATUS64, &info) == 0 ? std::optional(info) : std::nullopt;
}

class Mounting : public testing::Test {
protected:
    ~Mounting() override {
        EXPECT_EQ(mock.contexts, 0);
        EXPECT_EQ(mock.probes, 0);
    }
    OpenMedia medium(const std::string& image) {
        OpenMedia media;
        media.path = "a.iso";
        media.fd = Fd(::open(scratch.file("a.iso", image).c_str(), O_RDONLY | O_CLOEXEC));
        return media;
    }
    std::string failure_of(const OpenMedia& media) {
        try {
            LibmountMounts().mount(media, target);
        } catch (const Failure& failure) {
            return std::string(word(failure.reason())) + ": " + failure.what();
        } catch (const SystemFailure& failure) {
            return failure.what();
        }
        return "no failure";
    }

    test::Scratch scratch{test::guarded_place};
    std::string target = scratch / "mnt";
    NiceMock<LibmountMock> mock;
};

/// Tests that get as far as the loop device and require one. A container may have none. The scenarios of the
/// appliance mount for real everywhere.
class LoopMounting : public Mounting {
protected:
    void SetUp() override {
        if (::access("/dev/loop-control", R_OK | W_OK) != 0)
            GTEST_SKIP() << "a container without loop devices; tests/appliance/test_media*.py mount for real";
    }
};

} // namespace

TEST_F(LoopMounting, GoesByTheDescriptorReadOnlyAndHarmless) {
    const auto media = medium(iso9660());
    struct stat verified {};
    ASSERT_EQ(::fstat(media.fd.get(), &verified), 0);
    std::filesystem::rename(scratch.file("evil.iso", iso9660()), scratch / "a.iso"); // replaces the medium
    std::string node;
    testing::Sequence order;
    EXPECT_CALL(mock, mnt_context_set_target(_, StrEq(target))).Times(testing::AtLeast(1));
    EXPECT_CALL(mock, mnt_context_set_source)
        .InSequence(order)
        .WillOnce([&](auto* context, const char* source) {
            node = source;
            return __real_mnt_context_set_source(context, source);
        });
    EXPECT_CALL(mock, mnt_context_set_fstype(_, StrEq("iso9660"))).InSequence(order);
    EXPECT_CALL(mock, mnt_context_set_options(_, StrEq("ro,nosuid,nodev"))).InSequence(order);
    EXPECT_CALL(mock, mnt_context_mount).InSequence(order).WillOnce([&](auto*) {
        const auto loop = loop_at(node);
        EXPECT_EQ(loop.value().lo_inode, verified.st_ino);
        EXPECT_EQ(loop.value().lo_flags & (LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR),
                  static_cast<unsigned>(LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR));
        return -EPERM;
    });
    failure_of(media);
    EXPECT_FALSE(loop_at(node)) << "the loop device goes with a mount that failed";
}

TEST_F(LoopMounting, NamesWhatTheKernelSaid) {
    EXPECT_CALL(mock, mnt_context_mount).WillOnce(Return(-EBUSY));
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.filesystem: mount 'a.iso' on '" + target + "': Device or resource busy");
}

TEST_F(LoopMounting, PrefersTheWordsOfLibmount) {
    EXPECT_CALL(mock, mnt_context_mount).WillOnce(Return(32));
    EXPECT_CALL(mock, mnt_context_get_excode(_, 32, _, _))
        .WillOnce([](libmnt_context*, int, char* text, size_t size) {
            std::strncpy(text, "wrong fs type", size);
            return 32;
        });
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.filesystem: mount 'a.iso' on '" + target + "': wrong fs type");
}

TEST_F(LoopMounting, UnmountsWhatItCannotProve) {
    EXPECT_CALL(mock, mnt_context_mount).WillOnce(Return(0)); // but nothing is mounted there
    EXPECT_CALL(mock, mnt_context_umount).WillOnce(Return(0));
    EXPECT_NE(failure_of(medium(iso9660())), "no failure");
}

TEST_F(Mounting, RefusesOtherFileSystems) {
    EXPECT_CALL(mock, mnt_context_mount).Times(0);
    EXPECT_EQ(failure_of(medium(std::string(64 * 1024, '\0'))),
              "media.filesystem: 'a.iso' holds no file system that is known, not ISO 9660");
    EXPECT_EQ(failure_of(medium("")),
              "media.filesystem: 'a.iso' holds no file system that is known, not ISO 9660");
    scratch.file("ext4.img", "");
    ASSERT_EQ(test::shell("mkfs.ext4 -q " + scratch / "ext4.img" + " 1M").status, 0);
    EXPECT_EQ(failure_of(medium(test::text_of(scratch / "ext4.img"))),
              "media.filesystem: 'a.iso' holds ext4, not ISO 9660");
}

TEST_F(Mounting, RefusesAnAmbiguousMedium) {
    EXPECT_CALL(mock, blkid_do_safeprobe).WillOnce(Return(-2));
    EXPECT_CALL(mock, mnt_context_mount).Times(0);
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.filesystem: 'a.iso' holds more than one file system at once, not ISO 9660");
}

TEST_F(Mounting, RefusesAnUnreadableMedium) {
    EXPECT_CALL(mock, blkid_do_safeprobe).WillOnce(Return(-1));
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.filesystem: 'a.iso' holds something unreadable, not ISO 9660");
}

TEST_F(Mounting, FailsWhenLibblkidDoes) {
    EXPECT_CALL(mock, blkid_probe_set_device)
        .WillOnce([](blkid_probe, int, blkid_loff_t, blkid_loff_t) {
            errno = EIO;
            return -1;
        })
        .WillRepeatedly(__real_blkid_probe_set_device);
    EXPECT_EQ(failure_of(medium(iso9660())), "probe 'a.iso': Input/output error");
    EXPECT_CALL(mock, blkid_probe_enable_superblocks).WillOnce(Return(-1));
    EXPECT_EQ(failure_of(medium(iso9660())), "prepare to probe 'a.iso'");
    EXPECT_CALL(mock, blkid_new_probe).WillOnce([] {
        errno = ENOMEM;
        return nullptr;
    });
    EXPECT_EQ(failure_of(medium(iso9660())), "probe 'a.iso': Cannot allocate memory");
}

TEST_F(LoopMounting, FailsWhenLibmountHasNoMemory) {
    EXPECT_CALL(mock, mnt_context_set_source).WillOnce(Return(-ENOMEM));
    EXPECT_EQ(failure_of(medium(iso9660())), "prepare to mount 'a.iso': Cannot allocate memory");
    EXPECT_CALL(mock, mnt_context_set_target).WillOnce(Return(-ENOMEM));
    EXPECT_EQ(failure_of(medium(iso9660())), "prepare a mount on '" + target + "': Cannot allocate memory");
    EXPECT_CALL(mock, mnt_new_context).WillOnce(Return(nullptr));
    EXPECT_EQ(failure_of(medium(iso9660())), "prepare a mount on '" + target + "': Cannot allocate memory");
}

TEST_F(Mounting, SeesAMountPointByItsDevice) {
    EXPECT_TRUE(LibmountMounts().device_at("/proc"));
    EXPECT_FALSE(LibmountMounts().device_at(scratch.path()));
    EXPECT_FALSE(LibmountMounts().device_at(scratch / "missing"));
    EXPECT_FALSE(LibmountMounts().device_at("/dev/null/x"));
}

TEST_F(Mounting, AdoptsWhatStandsThereToUnmountIt) {
    EXPECT_EQ(LibmountMounts().adopt(scratch.path()), nullptr);
    EXPECT_CALL(mock, mnt_context_set_target(_, StrEq("/proc")));
    EXPECT_CALL(mock, mnt_context_umount).WillOnce(Return(0));
    const auto adopted = LibmountMounts().adopt("/proc");
    EXPECT_EQ(adopted->device(), LibmountMounts().device_at("/proc"));
}

TEST_F(Mounting, LeavesWhatAnotherProcessWorksOn) {
    EXPECT_CALL(mock, mnt_context_umount).Times(0);
    LibmountMounts().adopt("/proc")->leave();
}

TEST_F(Mounting, SaysAndIgnoresAnUnmountThatFails) {
    EXPECT_CALL(mock, mnt_context_umount).WillOnce(Return(-EBUSY));
    testing::internal::CaptureStderr();
    LibmountMounts().adopt("/proc").reset();
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "umount '/proc': Device or resource busy, ignoring: the next start unmounts it\n");
}

TEST_F(Mounting, ClearsNothingWhereNothingIsMounted) {
    EXPECT_CALL(mock, mnt_context_umount).Times(0);
    EXPECT_FALSE(LibmountMounts().clear(scratch.path()));
    EXPECT_FALSE(LibmountMounts().clear(scratch / "missing"));
}

TEST_F(Mounting, LeavesWhatIsNotIso9660WhereItIs) {
    EXPECT_CALL(mock, mnt_context_umount).Times(0);
    try {
        LibmountMounts().clear("/proc");
        ADD_FAILURE() << "was cleared";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::media_filesystem);
        EXPECT_STREQ(failure.what(), "'/proc' has a file system mounted on it already (proc)");
    }
}

TEST_F(Mounting, HidesNoFilesUnderTheMedium) {
    EXPECT_CALL(mock, mnt_context_mount).Times(0);
    ASSERT_EQ(test::shell("mkdir -p " + target + " && touch " + target + "/.hidden").status, 0);
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.filesystem: '" + target + "' is not empty, and would be hidden");
}

TEST_F(Mounting, RefusesAMountPointThatOthersCouldMove) {
    EXPECT_CALL(mock, mnt_context_mount).Times(0);
    ASSERT_EQ(test::shell("chmod 0777 " + scratch.path()).status, 0);
    EXPECT_EQ(failure_of(medium(iso9660())),
              "media.insecure: '" + target + "' could be exchanged: '" + scratch.path() +
                  "' could be changed by others than root (owner 0, mode 0777)");
}
