#pragma once
// Child processes without a shell.

#include "ports/appliance.hpp"

#include <sys/types.h>

namespace um {

/// A command ready for exec: pointers into strings that must outlive it.
class ExecArguments {
public:
    ExecArguments(const std::vector<std::string>& command, const std::vector<std::string>& environment);
    /// execve() along the PATH of this process; returns only when it failed. Async-signal-safe.
    void execute() const noexcept;

private:
    std::vector<std::string> candidates_;
    std::vector<char*> arguments_;
    std::vector<char*> environment_;
};

/// Runs to the end, standard output and error collected apart (at most 32 MiB of each are kept), standard
/// input empty. `user`: run as, with all its groups, a clean environment and its home; empty: as this
/// process. After `limit` the whole process group is killed. Throws SystemFailure (also for an unknown user).
CommandResult run_process(const std::vector<std::string>& command, const std::string& user,
                          std::chrono::seconds limit);

/// Where a program stands along the PATH of this process; empty where there is none that can be run.
std::string program_path(const std::string& name);

/// 128 + N for signal N, as a shell counts.
int exit_status(int wait_status);

} // namespace um
