#pragma once
// Turns SIGTERM, SIGINT and SIGHUP into an exception at points where stopping is clean.

namespace um {

/// A request to stop this process. It is no std::exception, so that no handler of errors swallows it.
struct Terminated {
    int signal = 0;
};

/// Catches SIGTERM, SIGINT and SIGHUP for check_termination(), and ignores SIGPIPE. main() calls it once,
/// before anything else.
void catch_termination();

/// Throws Terminated when a signal has come. Every loop that can take long calls it.
void check_termination();

/// Forgets a signal that has come, so that work can finish which must not be cut short.
void forget_termination() noexcept;

/// From now on check_termination() throws nothing, because this process must not leave its work half done.
void refuse_termination() noexcept;

/// Whether a signal has come since the last call. A process that refuses to stop can report it.
bool asked_to_terminate() noexcept;

/// Ends this process by the signal, as if the signal had not been caught.
[[noreturn]] void end_by(int signal);

} // namespace um
