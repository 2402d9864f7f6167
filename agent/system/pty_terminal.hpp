#pragma once

#include "upgrade/ports.hpp"

namespace um {

/// A program on a pseudo-terminal: `read -p` prints its question only there.
class PtyTerminal final : public Terminal {
public:
    int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
            const Session& session) override;
    bool awaits_input() override;

private:
    std::string slave_; ///< the terminal of the program that runs
};

} // namespace um
