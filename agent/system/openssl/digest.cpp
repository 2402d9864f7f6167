#include "system/openssl/digest.hpp"

#include "base/sha256.hpp"
#include "base/termination.hpp"
#include "system/openssl/support.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace um {
namespace {

// Limits what is read ahead of the slowest digest, for media of any size. Chunks that fit a processor's own
// cache are the fastest: larger ones cost up to a fifth (tests/bench/authenticate). Sizes are in bytes.
constexpr std::size_t chunk_size = 64UL * 1024;
constexpr std::size_t chunk_count = 32;
constexpr std::uint64_t drop_step = 8UL * 1024 * 1024; // bytes; the kernel drops whole groups of pages only

/// Connects one reader to a thread for each digest, with a ring of chunks between them.
class Pipeline {
public:
    explicit Pipeline(const std::vector<DigestAlgorithm>& algorithms) : consumed_(algorithms.size(), 0) {
        for (auto& chunk : chunks_)
            chunk.bytes.resize(chunk_size);
        for (const auto algorithm : algorithms) {
            DigestContext context(EVP_MD_CTX_new());
            expect(context != nullptr &&
                       EVP_DigestInit_ex(context.get(), implementation(algorithm), nullptr) == 1,
                   "EVP_DigestInit_ex");
            contexts_.push_back(std::move(context));
        }
        try {
            for (std::size_t at = 0; at < contexts_.size(); ++at)
                threads_.emplace_back([this, at] { consume(at); });
        } catch (...) {
            end(); // no thread is to be had: those that run already must end
            throw;
        }
    }
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;
    ~Pipeline() { end(); }

    /// A buffer to fill. Waits until every digest is done with it. The pipeline owns it.
    std::vector<unsigned char>& next_buffer() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return produced_ - slowest() < chunk_count; });
        return chunks_[produced_ % chunk_count].bytes;
    }

    /// Hands the filled buffer to the digests.
    void push(std::size_t size) {
        {
            const std::lock_guard lock(mutex_);
            chunks_[produced_ % chunk_count].size = size;
            ++produced_;
        }
        changed_.notify_all();
    }

    /// Waits for the digests of everything pushed, in the order of the algorithms. Throws SystemFailure.
    std::vector<std::string> finish() {
        end();
        std::vector<std::string> digests;
        for (const auto& context : contexts_) {
            std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
            unsigned size = 0;
            expect(!failed_ && EVP_DigestFinal_ex(context.get(), bytes.data(), &size) == 1,
                   "digest the medium");
            digests.push_back(hex(bytes.data(), size));
        }
        return digests;
    }

private:
    struct Chunk {
        std::vector<unsigned char> bytes;
        std::size_t size = 0;
    };

    std::uint64_t slowest() const { return *std::min_element(consumed_.begin(), consumed_.end()); }

    void consume(std::size_t at) {
        for (;;) {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return consumed_[at] < produced_ || ended_; });
            if (consumed_[at] == produced_)
                return;
            const auto& chunk = chunks_[consumed_[at] % chunk_count];
            lock.unlock();
            const bool fine = EVP_DigestUpdate(contexts_[at].get(), chunk.bytes.data(), chunk.size) == 1;
            lock.lock();
            failed_ = failed_ || !fine;
            ++consumed_[at];
            lock.unlock();
            changed_.notify_all();
        }
    }

    void end() {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_)
            if (thread.joinable())
                thread.join();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::array<Chunk, chunk_count> chunks_;
    std::uint64_t produced_ = 0;          ///< chunks handed to the digests
    std::vector<std::uint64_t> consumed_; ///< chunks done, by digest
    bool ended_ = false;
    bool failed_ = false;
    std::vector<DigestContext> contexts_;
    std::vector<std::thread> threads_;
};

/// Fills the buffer, or less of it at the end of the medium. Throws Failure (media.changed, media.unreadable)
/// and Terminated.
std::size_t read_chunk(const OpenMedia& media, std::uint64_t offset, std::vector<unsigned char>& buffer) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), media.size - offset));
    for (std::size_t done = 0; done < wanted;) {
        const auto got =
            ::pread(media.fd.get(), buffer.data() + done, wanted - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) {
            check_termination();
            continue;
        }
        if (got <= 0)
            throw Failure(got == 0 ? Reason::media_changed : Reason::media_unreadable,
                          fmt::format("read '{}' at byte {}: {}", media.path, offset + done,
                                      got == 0 ? "it ends early" : std::strerror(errno)),
                          "copy or attach the ISO again");
        done += static_cast<std::size_t>(got);
    }
    return wanted;
}

/// Whether the media would push the appliance's own data out of the page cache.
bool crowds_the_cache(const OpenMedia& media) {
    const auto pages = ::sysconf(_SC_PHYS_PAGES);
    const auto page_size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && page_size > 0 &&
           media.size > static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page_size) / 4;
}

} // namespace

Digests digest_media(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                     const OnProgress& on_progress) {
    Pipeline pipeline(algorithms);
    const auto advise = [&](std::uint64_t from, std::uint64_t size, int advice) {
        // Ignoring errors: without the advice the appliance only loses some speed.
        ::posix_fadvise(media.fd.get(), static_cast<off_t>(from), static_cast<off_t>(size), advice);
    };
    advise(0, 0, POSIX_FADV_SEQUENTIAL);
    const bool drop_behind = crowds_the_cache(media);
    std::uint64_t dropped = 0;
    for (std::uint64_t done = 0; done < media.size;) {
        check_termination();
        const auto size = read_chunk(media, done, pipeline.next_buffer());
        pipeline.push(size);
        done += size;
        if (drop_behind && (done - dropped >= drop_step || done == media.size)) {
            advise(dropped, done - dropped, POSIX_FADV_DONTNEED);
            dropped = done;
        }
        on_progress(done, media.size);
    }
    const auto values = pipeline.finish();
    Digests digests;
    for (std::size_t at = 0; at < algorithms.size(); ++at)
        digests[algorithms[at]] = values[at];
    return digests;
}

} // namespace um
