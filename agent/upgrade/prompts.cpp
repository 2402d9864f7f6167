#include "upgrade/prompts.hpp"

#include <algorithm>
#include <utility>

namespace um {
namespace {

constexpr std::size_t longest_line = 64UL * 1024; // a line without end must not eat the memory

/// Drops ESC sequences: CSI (ESC [ … letter), OSC (ESC ] … BEL or ESC \), and two-byte ones.
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
    }
    return result;
}

/// How many bytes the character at `at` has, by RFC 3629; 0: none begins there.
std::size_t character_at(const std::string& text, std::size_t at) {
    const auto byte = [&](std::size_t offset) {
        return at + offset < text.size() ? static_cast<unsigned char>(text[at + offset]) : 0U;
    };
    const auto first = byte(0);
    if (first < 0x80)
        return 1;
    const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
    for (std::size_t offset = 1; offset < length; ++offset)
        if ((byte(offset) & 0xC0) != 0x80)
            return 0;
    const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
    const bool none = (first == 0xED && byte(1) > 0x9F) || (first == 0xF4 && byte(1) > 0x8F);
    return overlong || none ? 0 : length;
}

/// journalctl shows a line with a byte that is no UTF-8 as a blob, and the log's reader may stop at it.
std::string as_utf8(const std::string& raw) {
    std::string result;
    for (std::size_t at = 0; at < raw.size();) {
        const auto length = character_at(raw, at);
        result += length > 0 ? raw.substr(at, length) : "\uFFFD";
        at += std::max<std::size_t>(length, 1);
    }
    return result;
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
    // Both are questions with (y/n): a progress line that speaks of a snapshot is none. Japanese as the
    // source has it.
    const std::string question = ".*(\\(|（) *y *(/|／) *n *(\\)|）) *([:?]|：|？)? *$";
    rules_.push_back({"snapshot", Pattern("(snapshot|スナップショット)" + question), "y",
                      Pattern("without|revert|restore|roll ?back|delete|remove|戻し|削除"), std::nullopt});
    rules_.push_back(
        {"reboot", Pattern("(reboot|restart|再起動)" + question), "n", std::nullopt, std::nullopt});
    // What the appliance's name should be was settled in preflight: here it is a warning to go on from. The
    // question itself may not say what it is about.
    rules_.push_back({"hostname", Pattern("(continue|proceed|go on|anyway|続行|続け)" + question), "y",
                      Pattern("change|generate|replace|変更|生成|置き換え"), Pattern("host ?name|ホスト名")});
}

std::vector<std::string> Dialogue::feed(const std::string& output) {
    std::vector<std::string> lines;
    for (const char c : output) {
        if (c == '\n' || line_.size() >= longest_line) {
            last_line_ = std::exchange(line_, {});
            lines.push_back(clean_line(last_line_));
            remember(lines.back());
        }
        if (c != '\n')
            line_ += c;
    }
    return lines;
}

void Dialogue::remember(const std::string& line) {
    constexpr std::size_t enough = 8; // a warning, and what to do about it
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
            return Answer{rule.name, question, rule.answer};
        }
    return std::nullopt;
}

std::optional<Answer> Dialogue::answer() {
    return answer_to(line_);
}

std::optional<Answer> Dialogue::answer_to_last_line() {
    return clean_line(line_).empty() ? answer_to(last_line_) : std::nullopt;
}

std::optional<std::string> Dialogue::unfinished(const Pattern& shape) const {
    auto line = clean_line(line_);
    return !line.empty() && shape.found_in(line) ? std::optional(std::move(line)) : std::nullopt;
}

std::optional<std::string> Dialogue::open_question() const {
    static const Pattern shape("([?]|[[(] *y(es)? */ *no? *[])]) *:? *$");
    return unfinished(shape);
}

std::optional<std::string> Dialogue::possible_question() const {
    static const Pattern shape("[:>] *$");
    return unfinished(shape);
}

std::string Dialogue::last_words() const {
    for (const auto* raw : {&line_, &last_line_})
        if (auto line = clean_line(*raw); !line.empty())
            return line;
    return "(it printed nothing)";
}

std::string Dialogue::take_rest() {
    return clean_line(std::exchange(line_, {}));
}

} // namespace um
