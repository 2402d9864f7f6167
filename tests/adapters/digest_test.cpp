// Digests of media, compared with those of coreutils, and a libcrypto that fails.

#include "system/openssl/crypto.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/mman.h>

using namespace um;
using testing::_;
using testing::NiceMock;
using testing::Return;

namespace {

OpenMedia open_media(const std::string& path, std::uint64_t size) {
    OpenMedia media;
    media.fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    media.path = path;
    media.size = size;
    return media;
}

std::string sum(const std::string& program, const std::string& path) {
    const auto output = test::shell(program + " < " + path).output;
    return output.substr(0, output.find(' '));
}

const OnProgress ignore = [](std::uint64_t, std::uint64_t) {};
const std::vector<DigestAlgorithm> all{DigestAlgorithm::sha1, DigestAlgorithm::sha256,
                                       DigestAlgorithm::sha384, DigestAlgorithm::sha512};

struct CryptoMock : test::Wrapped<CryptoMock> {
    MOCK_METHOD(EVP_MD_CTX*, EVP_MD_CTX_new, ());
    MOCK_METHOD(int, EVP_DigestInit_ex, (EVP_MD_CTX*, const EVP_MD*, ENGINE*));
    MOCK_METHOD(int, EVP_DigestUpdate, (EVP_MD_CTX*, const void*, size_t));
    MOCK_METHOD(int, EVP_DigestFinal_ex, (EVP_MD_CTX*, unsigned char*, unsigned int*));
    MOCK_METHOD(void, EVP_MD_CTX_free, (EVP_MD_CTX*));
    MOCK_METHOD(ssize_t, pread64, (int, void*, std::size_t, off_t));
    MOCK_METHOD(long, sysconf, (int));
    CryptoMock();
};

} // namespace

UM_WRAP(CryptoMock, EVP_MD_CTX*, EVP_MD_CTX_new, (), ())
UM_WRAP(CryptoMock, int, EVP_DigestInit_ex, (EVP_MD_CTX * context, const EVP_MD* type, ENGINE* engine),
        (context, type, engine))
UM_WRAP(CryptoMock, int, EVP_DigestUpdate, (EVP_MD_CTX * context, const void* data, size_t size),
        (context, data, size))
UM_WRAP(CryptoMock, int, EVP_DigestFinal_ex,
        (EVP_MD_CTX * context, unsigned char* digest, unsigned int* size), (context, digest, size))
UM_WRAP(CryptoMock, void, EVP_MD_CTX_free, (EVP_MD_CTX * context), (context))
UM_WRAP(CryptoMock, ssize_t, pread64, (int fd, void* buffer, std::size_t count, off_t offset),
        (fd, buffer, count, offset))
UM_WRAP(CryptoMock, long, sysconf, (int name), (name))

CryptoMock::CryptoMock() {
    UM_PASS_ON(EVP_MD_CTX_new);
    UM_PASS_ON(EVP_DigestInit_ex);
    UM_PASS_ON(EVP_DigestUpdate);
    UM_PASS_ON(EVP_DigestFinal_ex);
    UM_PASS_ON(EVP_MD_CTX_free);
    UM_PASS_ON(pread64);
    UM_PASS_ON(sysconf);
}

namespace {

/// The failure of digesting a small file. Expects that every context was freed.
std::string failure_of(NiceMock<CryptoMock>& mock) {
    const test::Scratch scratch;
    const auto media = open_media(scratch.file("x", "abc"), 3);
    int made = 0;
    ON_CALL(mock, EVP_MD_CTX_free).WillByDefault([&](EVP_MD_CTX* context) {
        --made;
        __real_EVP_MD_CTX_free(context);
    });
    EXPECT_CALL(mock, EVP_MD_CTX_new).WillRepeatedly([&] {
        ++made;
        return __real_EVP_MD_CTX_new();
    });
    std::string text = "no failure";
    try {
        OpensslCrypto().digest(media, {DigestAlgorithm::sha1, DigestAlgorithm::sha256}, ignore);
    } catch (const SystemFailure& failure) {
        text = failure.what();
    }
    EXPECT_EQ(made, 0);
    return text;
}

} // namespace

TEST(Digest, IsWhatCoreutilsSay) {
    const test::Scratch scratch;
    std::string text = "a";
    for (const std::size_t size :
         {0UL, 1UL, 4096UL, 1024UL * 1024, 1024UL * 1024 + 1, 3UL * 1024 * 1024 + 17}) {
        text.resize(size, 'u');
        const auto path = scratch.file("iso", text);
        const auto digests = OpensslCrypto().digest(open_media(path, size), all, ignore);
        EXPECT_EQ(digests.at(DigestAlgorithm::sha1), sum("sha1sum", path)) << size;
        EXPECT_EQ(digests.at(DigestAlgorithm::sha256), sum("sha256sum", path)) << size;
        EXPECT_EQ(digests.at(DigestAlgorithm::sha384), sum("sha384sum", path)) << size;
        EXPECT_EQ(digests.at(DigestAlgorithm::sha512), sum("sha512sum", path)) << size;
    }
}

TEST(Digest, CoversEveryByteBeyondFourGibibytes) {
    const test::Scratch scratch;
    const std::uint64_t size = (5ULL << 30) + 3;
    NiceMock<CryptoMock> mock; // reads and digests are counted, not done
    std::uint64_t read = 0;
    std::uint64_t digested = 0;
    ON_CALL(mock, pread64).WillByDefault([&](int, void*, std::size_t count, off_t offset) {
        EXPECT_EQ(static_cast<std::uint64_t>(offset), read);
        read += count;
        return static_cast<ssize_t>(count);
    });
    ON_CALL(mock, EVP_DigestUpdate).WillByDefault([&](EVP_MD_CTX*, const void*, std::size_t count) {
        digested += count;
        return 1;
    });
    OpensslCrypto().digest(open_media(scratch.file("iso", ""), size), {DigestAlgorithm::sha1}, ignore);
    EXPECT_EQ(read, size);
    EXPECT_EQ(digested, size);
}

TEST(Digest, ReadsOnAfterASignalAndAfterShortReads) {
    const test::Scratch scratch;
    const auto path = scratch.file("iso", std::string(100'000, 'x'));
    NiceMock<CryptoMock> mock;
    int calls = 0;
    ON_CALL(mock, pread64)
        .WillByDefault([&](int fd, void* buffer, std::size_t count, off_t offset) -> ssize_t {
            if (++calls % 2 == 0) {
                errno = EINTR;
                return -1;
            }
            return __real_pread64(fd, buffer, std::min<std::size_t>(count, 33'333), offset);
        });
    const auto digests = OpensslCrypto().digest(open_media(path, 100'000), {DigestAlgorithm::sha1}, ignore);
    EXPECT_EQ(digests.at(DigestAlgorithm::sha1), sum("sha1sum", path));
    EXPECT_GT(calls, 4);
}

TEST(Digest, SaysHowFarItIs) {
    const test::Scratch scratch;
    const std::uint64_t size = 2 * 1024 * 1024 + 5;
    const auto path = scratch.file("iso", std::string(size, 'x'));
    std::vector<std::uint64_t> steps;
    OpensslCrypto().digest(open_media(path, size), {DigestAlgorithm::sha1},
                           [&](std::uint64_t done, std::uint64_t total) {
                               EXPECT_EQ(total, size);
                               steps.push_back(done);
                           });
    EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
    EXPECT_GT(steps.size(), 1U);
    EXPECT_EQ(steps.back(), size);
}

TEST(Digest, RefusesAFileThatBecameShorter) {
    const test::Scratch scratch;
    const auto media = open_media(scratch.file("iso", "abc"), 4);
    try {
        OpensslCrypto().digest(media, all, ignore);
        ADD_FAILURE() << "was accepted";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::media_changed);
        EXPECT_EQ(failure.what(), "read '" + media.path + "' at byte 3: it ends early");
    }
}

TEST(Digest, RefusesWhatCannotBeRead) {
    const test::Scratch scratch;
    try {
        OpensslCrypto().digest(open_media(scratch.path(), 4), all, ignore);
        ADD_FAILURE() << "was accepted";
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.reason(), Reason::media_unreadable);
        EXPECT_EQ(failure.what(), "read '" + scratch.path() + "' at byte 0: Is a directory");
    }
}

namespace {

/// How many bytes of a file the page cache holds.
std::size_t cached(int fd, std::size_t size) {
    const auto page = static_cast<std::size_t>(__real_sysconf(_SC_PAGESIZE));
    void* map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    std::vector<unsigned char> pages((size + page - 1) / page);
    EXPECT_EQ(::mincore(map, size, pages.data()), 0);
    ::munmap(map, size);
    return static_cast<std::size_t>(
               std::count_if(pages.begin(), pages.end(), [](unsigned char at) { return (at & 1U) != 0; })) *
           page;
}

} // namespace

TEST(Digest, DropsFromThePageCacheWhatWouldCrowdIt) {
    const test::Scratch scratch("."); // on a disk, because files in memory are not dropped
    constexpr std::size_t size = 40UL << 20;
    const auto media = open_media(scratch.file("iso", std::string(size, 'x')), size);
    ASSERT_EQ(::fsync(media.fd.get()), 0); // pages that are not on the disk yet cannot be dropped
    NiceMock<CryptoMock> mock;
    long pages = 0;
    ON_CALL(mock, sysconf).WillByDefault([&](int name) {
        return name == _SC_PHYS_PAGES ? pages : __real_sysconf(name);
    });
    pages = static_cast<long>(5 * size) / __real_sysconf(_SC_PAGESIZE);
    OpensslCrypto().digest(media, {DigestAlgorithm::sha1}, ignore);
    EXPECT_GT(cached(media.fd.get(), size), size / 2);
    pages = static_cast<long>(3 * size) / __real_sysconf(_SC_PAGESIZE);
    OpensslCrypto().digest(media, {DigestAlgorithm::sha1}, ignore);
    EXPECT_LT(cached(media.fd.get(), size), size / 4);
}

TEST(Digest, EndsWhenTheListenerThrows) {
    const test::Scratch scratch;
    const auto media = open_media(scratch.file("iso", "abc"), 3);
    EXPECT_THROW(OpensslCrypto().digest(media, all, [](std::uint64_t, std::uint64_t) { throw 7; }), int);
}

TEST(LibcryptoFailure, IsNamedAndLeaksNothing) {
    const std::string unknown = ": unknown error of libcrypto";
    {
        NiceMock<CryptoMock> mock;
        EXPECT_CALL(mock, EVP_DigestInit_ex).WillOnce(__real_EVP_DigestInit_ex).WillOnce(Return(0));
        EXPECT_EQ(failure_of(mock), "EVP_DigestInit_ex" + unknown);
    }
    {
        NiceMock<CryptoMock> mock;
        EXPECT_CALL(mock, EVP_DigestUpdate).WillOnce(Return(0)).WillOnce(__real_EVP_DigestUpdate);
        EXPECT_EQ(failure_of(mock), "digest the medium" + unknown);
    }
    {
        NiceMock<CryptoMock> mock;
        EXPECT_CALL(mock, EVP_DigestFinal_ex).WillOnce(Return(0));
        EXPECT_EQ(failure_of(mock), "digest the medium" + unknown);
    }
    NiceMock<CryptoMock> mock;
    EXPECT_EQ(failure_of(mock), "no failure");
}
