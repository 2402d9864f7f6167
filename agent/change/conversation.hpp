#pragma once
// A program on a terminal of its own: what it says goes to the journal, the log and the status line, what it
// asks is answered.

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

/// Whom the conversation is held with. What a script asks is told by what it prints, too; a package manager
/// was told to ask nothing, and to end it costs half a transaction: only who is known to wait for an answer
/// asks.
enum class Partner { script, package_manager };

class Conversation {
public:
    /// `name`: what the program is called in messages, such as "the script".
    Conversation(Job& job, ChangeLog& log, Partner partner, std::string name)
        : job_(job), log_(log), partner_(partner), name_(std::move(name)), dialogue_(job.config.prompts) {}

    /// Runs it to its end and returns its exit status; 128 + N when signal N ended it.
    /// Throws Failure (script.prompt-unknown, script.stalled), which ends the program.
    int hold(const std::vector<std::string>& command);

    /// What the program printed last; for a message.
    std::string last_words() const { return printable(last_words_, 200); }

    /// What rpm said of scripts of new packages that failed; it goes on and ends well all the same.
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
    std::map<std::string, unsigned> answers_; ///< how many to each question
    std::optional<std::string> unended_;      ///< an answer of one key, as long as no line feed follows it
    std::string unshown_;                     ///< the last line, when it is not on the status line yet
    std::chrono::microseconds shown_at_{0};
};

} // namespace um
