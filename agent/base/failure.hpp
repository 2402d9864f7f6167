#pragma once
// What can go wrong: one value, and the exceptions.

#include "base/vocabulary.hpp"

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace um {

/// What is wrong, and what to do about it.
struct Problem {
    Reason reason{};
    std::string message; ///< what, where and why, in one plain sentence
    std::string hint;    ///< what to do; empty when nothing can be done
};

/// A refusal stops an upgrade. A warning is worth an operator's attention.
struct Finding : Problem {
    enum class Severity { refusal, warning };
    Severity severity = Severity::refusal;
};

inline Finding refusal(Problem problem) {
    return {std::move(problem), Finding::Severity::refusal};
}

inline Finding warning(Problem problem) {
    return {std::move(problem), Finding::Severity::warning};
}

inline bool is_refusal(const Finding& finding) {
    return finding.severity == Finding::Severity::refusal;
}

/// Thrown when work cannot continue. A Failure that nothing else handles ends in the procedure or in main().
class Failure : public std::runtime_error {
public:
    explicit Failure(Problem problem) : std::runtime_error(problem.message), problem_(std::move(problem)) {}
    Failure(Reason reason, const std::string& message, std::string hint = {})
        : Failure(Problem{reason, message, std::move(hint)}) {}

    const Problem& problem() const noexcept { return problem_; }
    Reason reason() const noexcept { return problem_.reason; }
    const std::string& hint() const noexcept { return problem_.hint; }

private:
    Problem problem_;
};

/// A fault of the machine or of this program: system.failed, exit code 1.
class SystemFailure : public std::runtime_error {
public:
    /// `what`: verb and object, such as "rename 'a' to 'b'". `error`: an errno value.
    SystemFailure(const std::string& what, int error)
        : std::runtime_error(fmt::format("{}: {}", what, std::strerror(error))) {}
    explicit SystemFailure(const std::string& what) : std::runtime_error(what) {}
};

/// The command line is wrong: exit code 2.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The configuration is wrong: exit code 3. The message names the file, the line, and what would be right.
class ConfigError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace um
