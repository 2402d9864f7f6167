#include "system/loop_device.hpp"

#include "base/failure.hpp"

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace um {
namespace {

constexpr int tries = 64; // other processes take free devices too

/// Linux 5.8 does this in one call. Before that, a kill between the two calls would leave the device behind.
bool configure(int device, int backing) {
#ifdef LOOP_CONFIGURE
    loop_config config{};
    config.fd = static_cast<std::uint32_t>(backing);
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device, LOOP_CONFIGURE, &config) == 0)
        return true;
    if (errno != EINVAL && errno != ENOTTY)
        return false;
#endif
    if (::ioctl(device, LOOP_SET_FD, backing) < 0)
        return false;
    loop_info64 info{};
    info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device, LOOP_SET_STATUS64, &info) == 0)
        return true;
    const int error = errno;
    ::ioctl(device, LOOP_CLR_FD); // ignoring: `error` has the cause already
    errno = error;
    return false;
}

} // namespace

LoopDevice::LoopDevice(int backing, const std::string& name) {
    const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
    if (!control)
        throw SystemFailure("open '/dev/loop-control'", errno);
    for (int left = tries; left > 0; --left) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0)
            throw SystemFailure("find a free loop device", errno);
        node_ = fmt::format("/dev/loop{}", number);
        fd_ = Fd(::open(node_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!fd_ && errno != ENXIO && errno != EBUSY)
            throw SystemFailure(fmt::format("open '{}'", node_), errno);
        if (fd_ && configure(fd_.get(), backing)) {
            struct stat status {};
            if (::fstat(fd_.get(), &status) < 0)
                throw SystemFailure(fmt::format("stat '{}'", node_), errno);
            device_ = status.st_rdev;
            return;
        }
        if (fd_ && errno != EBUSY && errno != EAGAIN)
            throw SystemFailure(fmt::format("put '{}' over '{}'", node_, name), errno);
        ::usleep(10'000);
    }
    throw SystemFailure("find a free loop device", EBUSY);
}

} // namespace um
