#pragma once
// A terminal for a program that asks questions.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

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
        /// Called again and again while nothing comes; returns what to type, or nothing. May throw to end the
        /// program.
        std::function<std::optional<std::string>(std::chrono::milliseconds quiet)> on_quiet;
    };
    /// Returns the exit status; 128 + N when signal N ended it. Whatever the session throws ends the program.
    virtual int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const Session& session) = 0;
    /// Whether a process is known to wait for what is typed; for the session to ask. Not every way of waiting
    /// can be seen.
    virtual bool awaits_input() = 0;
    /// Whether it reads key by key now, not line by line; for the session to ask.
    virtual bool reads_keys() = 0;
};

} // namespace um
