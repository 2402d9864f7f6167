#pragma once
// What a person at a terminal sees. Under systemd standard output is the journal, which has the events
// already, so nothing is shown there.

#include <iosfwd>
#include <optional>
#include <string>

namespace um {

class Console {
public:
    /// `fd`: where it is shown, standard output or, where that is a machine's, standard error.
    explicit Console(int fd = 1);
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    /// Leaves no progress behind: the shell's prompt comes next.
    ~Console() { clear_progress(); }
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
    int fd_;
    std::ostream& out_;
    bool terminal_; ///< it is shown on a terminal
    bool shown_;    ///< anything is shown at all
    bool attended_; ///< somebody can be asked there
    bool progress_shown_ = false;
};

} // namespace um
