#pragma once
// A program on a terminal of its own: what it says goes to the journal, the log and the status line, what it
// asks is answered.

#include "upgrade/change_log.hpp"
#include "upgrade/procedure.hpp"
#include "upgrade/prompts.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace um {

class Conversation {
public:
    /// `name`: what the program is called in messages, such as "the script".
    Conversation(Job& job, ChangeLog& log, std::string name)
        : job_(job), log_(log), name_(std::move(name)), dialogue_(job.config.prompts) {}

    /// Runs it to its end and returns its exit status; 128 + N when signal N ended it.
    /// Throws Failure (script.prompt-unknown, script.stalled), which ends the program.
    int hold(const std::vector<std::string>& command);

private:
    std::optional<std::string> reply(std::chrono::milliseconds quiet);
    std::string type(const Answer& answer, const std::string& shown);
    void record(const std::string& line);
    void show(const std::string& text);

    Job& job_;
    ChangeLog& log_;
    std::string name_;
    Dialogue dialogue_;
    std::string unshown_; ///< the last line, when it is not on the status line yet
    std::chrono::microseconds shown_at_{0};
};

} // namespace um
