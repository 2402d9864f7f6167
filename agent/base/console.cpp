#include "base/console.hpp"

#include "base/failure.hpp"
#include "base/termination.hpp"

#include <cstdio>
#include <cstdlib>
#include <fmt/core.h>
#include <iostream>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace um {
namespace {

std::size_t width_of(int terminal) {
    winsize size{};
    return ioctl(terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// $JOURNAL_STREAM has device and inode of the journal's stream (systemd.exec(5)). An output that was
/// redirected since has others.
bool is_journal(int fd) {
    const auto* const stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && ::fstat(fd, &status) == 0 &&
           stream == fmt::format("{}:{}", status.st_dev, status.st_ino);
}

} // namespace

Console::Console(int fd)
    : fd_(fd),
      out_(fd == STDERR_FILENO ? std::cerr : std::cout),
      terminal_(isatty(fd) == 1),
      shown_(!is_journal(fd)),
      attended_(terminal_ && isatty(STDIN_FILENO) == 1) {}

std::size_t Console::width() const {
    return terminal_ ? width_of(fd_) : 0;
}

void Console::line(const std::string& text) {
    if (!shown_)
        return;
    clear_progress();
    out_ << text << std::endl; // flushed line by line, because a person may be watching
}

void Console::progress(const std::string& text) {
    if (!terminal_)
        return;
    clear_progress();
    out_ << text.substr(0, width_of(fd_) - 1) << std::flush;
    progress_shown_ = true;
}

void Console::clear_progress() {
    if (progress_shown_)
        out_ << "\r\x1b[K" << std::flush;
    progress_shown_ = false;
}

std::optional<bool> Console::ask(const std::string& question) {
    if (!attended_)
        return std::nullopt;
    clear_progress();
    for (std::string reply;;) {
        out_ << question << ' ' << std::flush;
        if (!std::getline(std::cin, reply)) {
            check_termination();
            return false; // the end of the input must never count as a yes
        }
        if (reply == "y" || reply == "Y" || reply == "yes")
            return true;
        if (reply == "n" || reply == "N" || reply == "no")
            return false;
    }
}

} // namespace um
