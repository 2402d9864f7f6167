#include "console.hpp"

#include "system/termination.hpp"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <sys/ioctl.h>
#include <unistd.h>

namespace um {
namespace {

std::size_t terminal_width() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

Console::Console()
    : shown_(std::getenv("JOURNAL_STREAM") == nullptr || isatty(STDOUT_FILENO) == 1),
      terminal_(isatty(STDOUT_FILENO) == 1),
      attended_(terminal_ && isatty(STDIN_FILENO) == 1) {}

std::size_t Console::width() const {
    return terminal_ ? terminal_width() : 0;
}

void Console::line(const std::string& text) {
    if (!shown_)
        return;
    clear_progress();
    std::cout << text << std::endl; // a person watches: flushed line by line
}

void Console::progress(const std::string& text) {
    if (!terminal_)
        return;
    clear_progress();
    std::cout << text.substr(0, terminal_width() - 1) << std::flush;
    progress_shown_ = true;
}

void Console::clear_progress() {
    if (progress_shown_)
        std::cout << "\r\x1b[K" << std::flush;
    progress_shown_ = false;
}

std::optional<bool> Console::ask(const std::string& question) {
    if (!attended_)
        return std::nullopt;
    clear_progress();
    for (std::string reply;;) {
        std::cout << question << ' ' << std::flush;
        if (!std::getline(std::cin, reply)) {
            check_termination();
            return false; // asked, and no answer: never a yes
        }
        if (reply == "y" || reply == "Y" || reply == "yes")
            return true;
        if (reply == "n" || reply == "N" || reply == "no")
            return false;
    }
}

} // namespace um
