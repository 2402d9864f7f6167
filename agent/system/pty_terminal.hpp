#pragma once

#include "base/fd.hpp"
#include "ports/terminal.hpp"

namespace um {

/// A program on a pseudo-terminal: `read -p` prints its question only there.
class PtyTerminal final : public Terminal {
public:
    int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
            const Session& session) override;
    bool awaits_input() override;
    bool reads_keys() override;

private:
    // Of the program that runs.
    std::string name_; ///< of its terminal
    Fd slave_;         ///< held: a program that closes it may open it again, and is still heard
    Fd master_;
};

} // namespace um
