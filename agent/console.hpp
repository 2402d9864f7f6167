#pragma once
// What a person at a terminal sees. Under systemd standard output is the journal, which has the events
// already, so nothing is shown there.

#include <functional>
#include <optional>
#include <string>

namespace um {

class Console {
public:
    Console();
    /// One line for good.
    void line(const std::string& text);
    /// A line that the next one replaces; only on a terminal.
    void progress(const std::string& text);
    /// Asks a (y/n) question; no answer is a no, nothing means that nobody sits there. May throw Terminated.
    std::optional<bool> ask(const std::string& question);
    bool attended() const { return attended_; }
    /// Columns of the terminal; 0: there is none.
    std::size_t width() const;
    /// Takes the progress off the terminal, for output that others write.
    void clear_progress();

private:
    bool shown_ = false;    ///< anything is shown at all
    bool terminal_ = false; ///< standard output is a terminal
    bool attended_ = false; ///< standard input and output are terminals
    bool progress_shown_ = false;
};

} // namespace um
