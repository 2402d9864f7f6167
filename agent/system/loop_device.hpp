#pragma once
// A loop device over an open file.

#include "base/fd.hpp"

#include <string>

namespace um {

/// A read-only device over the very file of a descriptor. libmount would look up the file's name again. The
/// device clears itself when its last user closes it: this object, a mount, or the kernel after a kill.
class LoopDevice {
public:
    /// `backing`: the file's descriptor, which stays the caller's. `name`: for messages. Throws
    /// SystemFailure.
    LoopDevice(int backing, const std::string& name);

    const std::string& node() const { return node_; } ///< such as /dev/loop0
    dev_t device() const { return device_; }

private:
    std::string node_;
    dev_t device_ = 0;
    Fd fd_;
};

} // namespace um
