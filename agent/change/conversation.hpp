#pragma once
// A program on a terminal of its own. Its output goes to the journal, the log and the status line. Its
// questions are answered.

#include "base/text.hpp"
#include "change/change_log.hpp"
#include "change/dialogue.hpp"
#include "upgrade/job.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// The program on the other side. A script's question is also recognized by what it prints. A package manager
/// was started so that it asks nothing, and ending it leaves half a transaction. Its output counts as
/// a question only if a process is known to wait for an answer.
enum class Partner { script, package_manager };

class Conversation {
public:
    /// `name`: what messages call the program, such as "the script".
    Conversation(Job& job, ChangeLog& log, Partner partner, std::string name)
        : job_(job), log_(log), partner_(partner), name_(std::move(name)), dialogue_(job.config.prompts) {}

    /// Runs the command to its end. Returns its exit status, or 128 + N if signal N ended it. Throws Failure
    /// (script.prompt-unknown, script.stalled) and SystemFailure, which end the program.
    int hold(const std::vector<std::string>& command);

    /// What the program printed last; for a message.
    std::string last_words() const { return printable(last_words_, 200); }

    /// rpm's lines about scripts of new packages that failed. rpm continues after them and still ends well.
    const std::vector<std::string>& failed_scriptlets() const { return failed_scriptlets_; }

private:
    std::optional<std::string> reply(std::chrono::milliseconds quiet);
    std::optional<std::string> unknown_question(std::chrono::milliseconds quiet, bool read) const;
    std::optional<std::string> end_of_answer(std::chrono::milliseconds quiet);
    void refuse_to_end();
    std::string type(const Answer& answer, const std::string& shown);
    void record(const std::string& line);
    void show(const std::string& text);

    Job& job_;
    ChangeLog& log_;
    Partner partner_;
    std::string name_;
    Dialogue dialogue_;
    std::vector<std::string> failed_scriptlets_;
    std::string last_words_;                  ///< the last line that is not blank
    std::map<std::string, unsigned> answers_; ///< how many each question got
    std::optional<std::string> unended_;      ///< an answer of one key that no line feed follows yet
    std::string unshown_;                     ///< the last line, while the status line does not show it yet
    std::chrono::microseconds shown_at_{0};
};

} // namespace um
