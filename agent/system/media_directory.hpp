#pragma once

#include "ports/media_directory.hpp"

namespace um {

/// Files and drives of the kernel. Whatever another user could change is refused.
class FileMedia final : public MediaDirectory {
public:
    std::vector<std::string> matches(const std::string& pattern) override;
    OpenMedia open(const std::string& path) override;
    std::optional<std::string> read_sidecar(const std::string& path) override;
    void expect_unchanged(const OpenMedia& media) override;
};

} // namespace um
