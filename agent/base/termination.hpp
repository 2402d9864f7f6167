#pragma once
// SIGTERM and SIGINT as an exception at points where stopping is clean.

namespace um {

/// Somebody asked this process to stop. No std::exception: nobody but the runner may swallow it.
struct Terminated {
    int signal = 0;
};

/// Catches SIGTERM, SIGINT and SIGHUP for check_termination(). Call once, first thing in main().
void catch_termination();

/// Throws Terminated when a signal has come. Every loop that can last calls it.
void check_termination();

/// Forgets a signal that has come: where stopping is not possible, and somebody was told so.
void forget_termination() noexcept;

/// From now on check_termination() throws nothing: what this process does must not be left half done.
void refuse_termination() noexcept;

/// Whether a signal came since the last call; for who refuses, to say so.
bool asked_to_terminate() noexcept;

/// Ends this process by the signal, as if it had not been caught.
[[noreturn]] void end_by(int signal);

} // namespace um
