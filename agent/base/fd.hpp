#pragma once
// File descriptors and C handles as RAII.

#include <memory>
#include <unistd.h>
#include <utility>

namespace um {

/// Owns one file descriptor and closes it; -1 means none.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }
    void reset() noexcept {
        if (fd_ >= 0)
            ::close(fd_); // an error changes nothing: Linux closes it in any case
        fd_ = -1;
    }

private:
    int fd_ = -1;
};

template <auto Free>
struct Releaser {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};

/// Owns an object of a C library and releases it with the library's function: `Handle<BIO, BIO_free_all>`.
template <class T, auto Free>
using Handle = std::unique_ptr<T, Releaser<Free>>;

} // namespace um
