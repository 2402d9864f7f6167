#pragma once

#include "base/fd.hpp"
#include "ports/terminal.hpp"

namespace um {

/// Runs a program on a pseudo-terminal, because `read -p` prints its question only there.
class PtyTerminal final : public Terminal {
public:
    int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
            const Session& session) override;
    bool awaits_input() override;
    bool reads_keys() override;

private:
    // These belong to the running program.
    std::string name_; ///< its terminal's path
    Fd slave_;         ///< held, so that a program that closes it and opens it again is still heard
    Fd master_;
};

} // namespace um
