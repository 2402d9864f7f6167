#pragma once
// What a person at a terminal sees. Under systemd, standard output is the journal, which has the events
// already. Nothing is shown there.

#include <iosfwd>
#include <optional>
#include <string>

namespace um {

class Console {
public:
    /// `fd`: standard output, or standard error when a machine reads standard output.
    explicit Console(int fd = 1);
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    /// Leaves no progress behind: the shell's prompt comes next.
    ~Console() { clear_progress(); }
    /// A line that stays.
    void line(const std::string& text);
    /// A line that the next one replaces. It is shown only on a terminal.
    void progress(const std::string& text);
    /// Asks a (y/n) question. The end of the input is a no; nothing means that nobody can be asked. Throws
    /// Terminated.
    std::optional<bool> ask(const std::string& question);
    bool attended() const { return attended_; }
    /// Columns of the terminal; 0 when there is none.
    std::size_t width() const;
    /// Removes the progress line from the terminal, so that other code can write there.
    void clear_progress();

private:
    int fd_;
    std::ostream& out_;
    bool terminal_; ///< `fd` is a terminal
    bool shown_;    ///< lines are shown: `fd` is not the journal
    bool attended_; ///< a person can be asked there
    bool progress_shown_ = false;
};

} // namespace um
