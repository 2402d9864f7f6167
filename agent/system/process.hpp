#pragma once
// Child processes without a shell.

#include "ports/appliance.hpp"

#include <sys/types.h>

namespace um {

/// A command ready for exec: pointers into strings that must outlive it.
class ExecArguments {
public:
    ExecArguments(const std::vector<std::string>& command, const std::vector<std::string>& environment);
    /// Calls execve() along the PATH of this process. Returns only if that failed. Async-signal-safe.
    void execute() const noexcept;

private:
    std::vector<std::string> candidates_;
    std::vector<char*> arguments_;
    std::vector<char*> environment_;
};

/// Runs a command to its end, with empty standard input. Standard output and error are collected separately,
/// and at most 32 MiB of each are kept. `user`: run as this user, with all its groups, a clean environment
/// and its home; empty: as the user of this process. After `limit` the whole process group gets SIGTERM, and
/// SIGKILL at most 10 seconds later. Throws SystemFailure (also for an unknown user) and Terminated.
CommandResult run_process(const std::vector<std::string>& command, const std::string& user,
                          std::chrono::seconds limit);

/// The path of a program along the PATH of this process; empty if there is none that can be run.
std::string program_path(const std::string& name);

/// The exit status of a status from waitpid(2). It is 128 + N for signal N, as a shell counts.
int exit_status(int wait_status);

} // namespace um
