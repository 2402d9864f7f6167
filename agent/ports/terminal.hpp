#pragma once
// A terminal for a program that asks questions.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// A program on a terminal of its own.
class Terminal {
public:
    virtual ~Terminal() = default;
    struct Session {
        std::function<void(const std::string& output)> on_output;
        /// Called again and again while no output comes, with the time since the last output. It returns what
        /// to type, or nothing. It may throw to end the program.
        std::function<std::optional<std::string>(std::chrono::milliseconds quiet)> on_quiet;
    };
    /// Runs the program and returns its exit status, or 128 + N when signal N ended it. If the session
    /// throws, the program is ended.
    virtual int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const Session& session) = 0;
    /// Whether some process is seen to wait for input. Not every way of waiting can be seen. For the session
    /// to call.
    virtual bool awaits_input() = 0;
    /// Whether the terminal now passes on single keys, not whole lines. For the session to call.
    virtual bool reads_keys() = 0;
};

} // namespace um
