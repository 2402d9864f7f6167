#include "base/termination.hpp"

#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace um {
namespace {

volatile std::sig_atomic_t caught = 0;
bool refused = false;

void remember(int signal) {
    caught = signal;
}

} // namespace

void catch_termination() {
    struct sigaction action {};
    action.sa_handler = remember; // no SA_RESTART, so that a blocking call returns
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaction(signal, &action, nullptr); // cannot fail for these signals
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, nullptr);
}

void check_termination() {
    if (caught != 0 && !refused)
        throw Terminated{static_cast<int>(caught)};
}

void forget_termination() noexcept {
    caught = 0;
}

void refuse_termination() noexcept {
    refused = true;
}

bool asked_to_terminate() noexcept {
    const bool asked = caught != 0;
    caught = 0;
    return asked;
}

void end_by(int signal) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    std::abort(); // the signal was blocked, and the process must end all the same
}

} // namespace um
