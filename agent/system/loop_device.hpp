#pragma once
// A loop device over an open file.

#include "base/fd.hpp"

#include <string>

namespace um {

/// Lies over the very file that a descriptor stands for: libmount would look its name up once more.
/// Read-only, and it clears itself when its last user closes it, be that this object, a mount, or the kernel
/// after a kill.
class LoopDevice {
public:
    /// `name`: for messages. Throws SystemFailure.
    LoopDevice(int backing, const std::string& name);

    const std::string& node() const { return node_; } ///< such as /dev/loop0
    dev_t device() const { return device_; }

private:
    std::string node_;
    dev_t device_ = 0;
    Fd fd_;
};

} // namespace um
