#pragma once

#include "ports/media_directory.hpp"

namespace um {

/// Media in files and drives of this machine. Refuses whatever another user could change.
class FileMedia final : public MediaDirectory {
public:
    std::vector<std::string> matches(const std::string& pattern) override;
    OpenMedia open(const std::string& path) override;
    std::optional<std::string> read_sidecar(const std::string& path) override;
    void expect_unchanged(const OpenMedia& media) override;
};

} // namespace um
