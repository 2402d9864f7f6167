#pragma once

#include "ports/mounts.hpp"

namespace um {

/// libblkid finds what is on the medium, and libmount mounts it. Steps 5 and 6 of the procedure.
class LibmountMounts final : public Mounts {
public:
    std::unique_ptr<Mounted> mount(const OpenMedia& media, const std::string& target) override;
    bool clear(const std::string& target) override;
    std::unique_ptr<Mounted> adopt(const std::string& target) override;
    std::optional<std::uint64_t> device_at(const std::string& target) override;
};

} // namespace um
