#pragma once
// The script's output as a stream: complete lines for the log, and the unfinished last line, which may be a
// question. Questions are known by their meaning, not to the letter: the vendor's spacings and languages
// differ.

#include "base/pattern.hpp"
#include "config/config.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace um {

struct Answer {
    std::string prompt;   ///< "snapshot", "reboot", "hostname" or an operator's [prompt.X]
    std::string question; ///< as it was asked
    std::string text;     ///< what to type, without the line feed
};

class Dialogue {
public:
    /// The operator's rules go before the built-in ones. Throws std::regex_error (the configuration has
    /// checked).
    explicit Dialogue(const std::vector<PromptRule>& rules);

    /// Takes output as it comes, cut anywhere; returns the lines that it completes, cleaned of colours,
    /// carriage returns (what a progress bar overwrote is dropped) and controls.
    std::vector<std::string> feed(const std::string& output);

    /// The answer to the question that the unfinished line asks, once; nothing when it asks none that is
    /// known.
    std::optional<Answer> answer();

    /// As answer(), for a script that ends its question with a line feed: the last line, when nothing came
    /// after it.
    std::optional<Answer> answer_to_last_line();

    /// Whether nothing was printed behind the answer since it was given; it may not be shown itself.
    bool ends_with(const std::string& answer) const;

    /// The unfinished line when it has a question's shape: (y/n), or a question mark.
    std::optional<std::string> open_question() const;

    /// What was printed last: the question, when somebody is known to wait for an answer.
    std::string last_words() const;

    /// What stands in the unfinished line, cleaned; it is forgotten.
    std::string take_rest();

private:
    struct Rule {
        std::string name;
        Pattern match;
        std::string answer;
        std::optional<Pattern> unless; ///< a question with these words means something else
        std::optional<Pattern> about;  ///< it means this only with, or after a line with, these words
    };
    std::optional<Answer> answer_to(std::string& raw);
    bool applies(const Rule& rule, const std::string& question) const;
    void remember(const std::string& line);

    std::vector<Rule> rules_;
    std::deque<std::string> before_; ///< the lines before, since the last answer
    std::string line_;
    std::optional<std::string>
        echo_;              ///< of the last answer, which the terminal may show on a line of its own
    std::string asked_;     ///< the question that was answered last
    std::string last_line_; ///< the complete line before, until more comes or it is answered
};

/// Without escape sequences and controls; what stands before the last carriage return is dropped.
std::string clean_line(const std::string& raw);

} // namespace um
