#pragma once
// Mounts media.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include "ports/media_directory.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace um {

/// A mounted medium. Its destructor unmounts it, unless leave() was called.
class Mounted {
public:
    virtual ~Mounted() = default;
    virtual std::uint64_t device() const = 0; ///< st_dev of the mounted file system
    /// Lets the medium stay mounted when this object is destroyed, because another process works on it.
    virtual void leave() = 0;
};

class Mounts {
public:
    virtual ~Mounts() = default;
    /// Probes `media`, mounts it from its descriptor (read-only, nosuid, nodev), and proves that the mounted
    /// medium is that one. Whatever fails, no mount and no loop device is left. Throws Failure
    /// (media.filesystem, media.changed, media.insecure).
    virtual std::unique_ptr<Mounted> mount(const OpenMedia& media, const std::string& target) = 0;
    /// Unmounts the media that earlier starts left at `target`; true when there were any. Throws Failure
    /// (media.filesystem) when something else is mounted there, or when the media are in use.
    virtual bool clear(const std::string& target) = 0;
    /// Takes over what an earlier run left mounted at `target`, to unmount it in the end. nullptr when
    /// nothing is mounted there.
    virtual std::unique_ptr<Mounted> adopt(const std::string& target) = 0;
    /// st_dev of what is mounted at `target`; nothing when `target` is no mount point.
    virtual std::optional<std::uint64_t> device_at(const std::string& target) = 0;
};

} // namespace um
