#include "change/dialogue.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <utility>

namespace um {
namespace {

constexpr std::size_t longest_line = 64UL * 1024; // an endless line must not fill the memory

/// Drops the ESC sequences of ECMA-48: CSI (ESC [ … letter), OSC (ESC ] … BEL or ESC \), and short ones such
/// as ESC ( B, which are intermediate characters and a final one.
std::string without_escapes(const std::string& raw) {
    std::string result;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        if (raw[i] != '\x1b') {
            result += raw[i];
            continue;
        }
        if (++i >= raw.size())
            break;
        if (raw[i] == '[')
            while (++i < raw.size() && (raw[i] < '@' || raw[i] > '~')) {
            }
        else if (raw[i] == ']')
            while (++i < raw.size() && raw[i] != '\a' && raw[i] != '\\') {
            }
        else
            while (i < raw.size() && raw[i] >= ' ' && raw[i] <= '/')
                ++i;
    }
    return result;
}

/// The terminal shows what is typed; that is none of the program's words.
bool is_echo(const std::optional<std::string>& answer, const std::string& line) {
    return answer && !answer->empty() && clean_line(line) == *answer;
}

bool blank(char c) {
    return c == ' ' || c == '\t';
}

} // namespace

std::string clean_line(const std::string& raw) {
    auto text = without_escapes(raw);
    while (!text.empty() && (text.back() == '\r' || blank(text.back())))
        text.pop_back();
    if (const auto overwritten = text.rfind('\r'); overwritten != std::string::npos)
        text.erase(0, overwritten + 1);
    std::string result;
    for (const char c : text) {
        if (c == '\b' && !result.empty())
            result.pop_back();
        else if (c == '\t' || static_cast<unsigned char>(c) >= 0x20)
            result += c;
    }
    return as_utf8(result);
}

Dialogue::Dialogue(const std::vector<PromptRule>& rules) {
    for (const auto& rule : rules)
        rules_.push_back({rule.name, Pattern(rule.match), rule.answer, std::nullopt, std::nullopt});
    // Both rules require (y/n), because a progress line that mentions a snapshot is no question. The Japanese
    // is as in the source.
    const std::string question = ".*(\\(|（) *y *(/|／) *n *(\\)|）) *([:?]|：|？)? *$";
    rules_.push_back({"snapshot", Pattern("(snapshot|スナップショット)" + question), "y",
                      Pattern("without|revert|restore|roll ?back|delete|remove|戻し|削除"), std::nullopt});
    rules_.push_back(
        {"reboot", Pattern("(reboot|restart|再起動)" + question), "n", std::nullopt, std::nullopt});
    // Preflight has judged the host name already, so the change continues after this warning. The question
    // itself may not name its subject.
    rules_.push_back({"hostname", Pattern("(continue|proceed|go on|anyway|続行|続け)" + question), "y",
                      Pattern("change|generate|replace|変更|生成|置き換え"), Pattern("host ?name|ホスト名")});
}

std::vector<std::string> Dialogue::feed(const std::string& output) {
    std::vector<std::string> lines;
    for (const char c : output) {
        if (c == '\n' || line_.size() >= longest_line) {
            const auto line = std::exchange(line_, {});
            if (is_echo(std::exchange(echo_, std::nullopt), line)) {
                remember(clean_line(line)); // ends_with() must know that the line has ended
                continue;
            }
            last_line_ = line;
            lines.push_back(clean_line(line));
            remember(lines.back());
        }
        if (c != '\n')
            line_ += c;
    }
    return lines;
}

void Dialogue::remember(const std::string& line) {
    constexpr std::size_t enough = 8; // lines: a warning, and what to do about it
    before_.push_back(line);
    if (before_.size() > enough)
        before_.pop_front();
}

bool Dialogue::applies(const Rule& rule, const std::string& question) const {
    if (!rule.match.found_in(question) || (rule.unless && rule.unless->found_in(question)))
        return false;
    return !rule.about || rule.about->found_in(question) ||
           std::any_of(before_.begin(), before_.end(),
                       [&](const std::string& line) { return rule.about->found_in(line); });
}

std::optional<Answer> Dialogue::answer_to(std::string& raw) {
    const auto question = clean_line(raw);
    if (question.empty())
        return std::nullopt;
    for (const auto& rule : rules_)
        if (applies(rule, question)) {
            raw.clear();
            before_.clear();
            echo_ = rule.answer;
            asked_ = question;
            return Answer{rule.name, question, rule.answer};
        }
    return std::nullopt;
}

std::optional<Answer> Dialogue::answer() {
    auto answer = answer_to(line_);
    if (answer)
        last_line_.clear(); // the question came after it
    return answer;
}

std::optional<Answer> Dialogue::answer_to_last_line() {
    return clean_line(line_).empty() ? answer_to(last_line_) : std::nullopt;
}

bool Dialogue::ends_with(const std::string& answer) const {
    const auto line = clean_line(line_);
    return before_.empty() &&
           (line.empty() || (line.size() >= answer.size() &&
                             line.compare(line.size() - answer.size(), answer.size(), answer) == 0));
}

std::optional<std::string> Dialogue::open_question() const {
    static const Pattern shape("([?]|？|[[(] *y(es)? */ *no? *[])]) *:? *$");
    auto line = clean_line(line_);
    return !line.empty() && shape.found_in(line) ? std::optional(std::move(line)) : std::nullopt;
}

std::string Dialogue::last_words() const {
    for (const auto* raw : {&line_, &last_line_})
        if (auto line = clean_line(*raw); !line.empty() && !is_echo(echo_, line))
            return line;
    return asked_.empty() ? "(it printed nothing)" : asked_;
}

std::string Dialogue::take_rest() {
    auto rest = clean_line(std::exchange(line_, {}));
    return is_echo(echo_, rest) ? std::string() : rest;
}

} // namespace um
