#pragma once
// The script's output as a stream: complete lines for the log, and the unfinished last line, which may be a
// question. Questions are recognized by their meaning and not letter by letter, because the vendor's spacing
// and languages differ.

#include "base/pattern.hpp"
#include "config/config.hpp"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace um {

struct Answer {
    std::string prompt;   ///< "snapshot", "reboot", "hostname" or an operator's [prompt.X]
    std::string question; ///< as the program asked it
    std::string text;     ///< what to type, without the line feed
};

class Dialogue {
public:
    /// The operator's rules come before the built-in ones. Throws std::regex_error, but the configuration has
    /// checked the patterns.
    explicit Dialogue(const std::vector<PromptRule>& rules);

    /// Takes output in arbitrary pieces and returns the lines that it completes. The lines have no colors,
    /// carriage returns or control characters. What a progress bar overwrote is dropped.
    std::vector<std::string> feed(const std::string& output);

    /// The answer to the question on the unfinished line, once. Nothing if it is no known question.
    std::optional<Answer> answer();

    /// Like answer(), for a script that ends its question with a line feed. It takes the last line if nothing
    /// came after it.
    std::optional<Answer> answer_to_last_line();

    /// Whether nothing was printed after the answer was given. The terminal may not show the answer itself.
    bool ends_with(const std::string& answer) const;

    /// The unfinished line if it has a question's shape: (y/n) or a question mark.
    std::optional<std::string> open_question() const;

    /// What was printed last. It is the question if a process is known to wait for an answer.
    std::string last_words() const;

    /// Returns the unfinished line, cleaned, and forgets it.
    std::string take_rest();

private:
    struct Rule {
        std::string name;
        Pattern match;
        std::string answer;
        std::optional<Pattern> unless; ///< a question with these words means something else
        std::optional<Pattern> about;  ///< the question, or a line before it, must have these words
    };
    std::optional<Answer> answer_to(std::string& raw);
    bool applies(const Rule& rule, const std::string& question) const;
    void remember(const std::string& line);

    std::vector<Rule> rules_;
    std::deque<std::string> before_; ///< the latest complete lines since the last answer
    std::string line_;
    std::optional<std::string>
        echo_;              ///< of the last answer, which the terminal may show on a line of its own
    std::string asked_;     ///< the question that was answered last
    std::string last_line_; ///< the latest complete line, until it is answered
};

/// Drops escape sequences, control characters, and what comes before the last carriage return.
std::string clean_line(const std::string& raw);

} // namespace um
