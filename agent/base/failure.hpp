#pragma once
// The one exception of the agent, and its plain-value sibling for findings that come as a list.

#include "base/vocabulary.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace um {

/// Something that stops an upgrade, or (as a warning) is worth an operator's eye.
struct Finding {
    enum class Severity { refusal, warning };
    Severity severity = Severity::refusal;
    Reason reason{};
    std::string message; ///< what, where and why, in one plain sentence
    std::string hint;    ///< the way out
};

inline bool is_refusal(const Finding& finding) {
    return finding.severity == Finding::Severity::refusal;
}

/// Thrown where work cannot go on; only the runner and main() catch it.
class Failure : public std::runtime_error {
public:
    Failure(Reason reason, const std::string& message, std::string hint = {})
        : std::runtime_error(message), reason_(reason), hint_(std::move(hint)) {}

    Reason reason() const noexcept { return reason_; }
    const std::string& hint() const noexcept { return hint_; }
    Finding finding() const { return {Finding::Severity::refusal, reason_, what(), hint_}; }

private:
    Reason reason_;
    std::string hint_;
};

/// A fault of the machine or of this program: system.failed, exit code 1.
class SystemFailure : public std::runtime_error {
public:
    /// `what`: verb and object, such as "rename 'a' to 'b'"; `error`: an errno value.
    SystemFailure(const std::string& what, int error)
        : std::runtime_error(fmt::format("{}: {}", what, std::strerror(error))) {}
    explicit SystemFailure(const std::string& what) : std::runtime_error(what) {}
};

/// The command line is wrong; exit code 2.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The configuration is wrong; the message names file, line and what would be right; exit code 3.
class ConfigError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace um
