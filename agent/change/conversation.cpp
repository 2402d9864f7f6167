#include "change/conversation.hpp"

#include "base/termination.hpp"

namespace um {
namespace {

/// After so much silence, a program that reads the terminal is asking a question.
constexpr std::chrono::seconds question_limit{15};
/// "Are the services down yet?" may be mere output while no process is known to read the terminal. Stopping a
/// change costs more than waiting a little longer.
constexpr std::chrono::seconds possible_question_limit{120};
/// A script that does not accept an answer asks again forever. No script needs the same answer so often.
constexpr unsigned most_answers = 50;
/// Output arrives in arbitrary pieces, so an answer waits until the question is complete.
constexpr std::chrono::milliseconds question_settles{300};

/// By then a program that reads keys has taken the answer, or it requires a line feed.
constexpr std::chrono::seconds keys_settle{1};

/// Makes each run of blanks one, because package managers pad their lines to the terminal's width.
std::string squeezed(const std::string& line) {
    std::string text;
    for (const char c : line)
        if (c != ' ' && c != '\t')
            text += c;
        else if (!text.empty() && text.back() != ' ')
            text += ' ';
    return text;
}

} // namespace

int Conversation::hold(const std::vector<std::string>& command) {
    const Terminal::Session session{[&](const std::string& output) {
                                        for (const auto& line : dialogue_.feed(output))
                                            record(line);
                                    },
                                    [&](std::chrono::milliseconds quiet) { return reply(quiet); }};
    std::string shown;
    for (const auto& word : command)
        shown += (shown.empty() ? "" : " ") + word;
    log_.line(fmt::format("um-upgrade {}: {}", job_.state.id, shown));
    const int status = job_.ports.terminal.run(
        command,
        {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root",
         "LOGNAME=root", "SHELL=/bin/bash", "TERM=dumb", "LANG=C.UTF-8", "UM_UPGRADE_ID=" + job_.state.id},
        session);
    if (const auto rest = dialogue_.take_rest(); !rest.empty())
        record(rest);
    log_.line(fmt::format("um-upgrade {}: {} ended with status {}", job_.state.id, name_, status));
    return status;
}

std::optional<std::string> Conversation::reply(std::chrono::milliseconds quiet) {
    refuse_to_end();
    log_.write_through();
    show(std::exchange(unshown_, {}));
    if (quiet < question_settles)
        return std::nullopt;
    if (auto end = end_of_answer(quiet))
        return end;
    if (const auto answer = dialogue_.answer())
        return type(*answer, answer->question + " " + answer->text);
    // Text that is typed while nothing reads would answer the next question, whatever that is.
    const bool read = quiet >= question_limit && job_.ports.terminal.awaits_input();
    if (read || quiet >= possible_question_limit)
        if (const auto answer = dialogue_.answer_to_last_line())
            return type(*answer, answer->text);
    if (const auto question = unknown_question(quiet, read))
        throw Failure(Reason::script_prompt_unknown,
                      fmt::format("{} asks an unknown question: {}", name_, *question),
                      "add an answer for it as [prompt.X] to the configuration");
    if (quiet >= job_.config.apply.stall_timeout)
        throw Failure(Reason::script_stalled,
                      fmt::format("{} printed nothing for {} s; its last words: {}", name_,
                                  job_.config.apply.stall_timeout.count(), dialogue_.last_words()),
                      fmt::format("look at {}", job_.config.log.file));
    return std::nullopt;
}

/// `read`: a process is known to wait for an answer.
std::optional<std::string> Conversation::unknown_question(std::chrono::milliseconds quiet, bool read) const {
    if (read)
        return dialogue_.last_words();
    if (partner_ == Partner::package_manager || quiet < possible_question_limit)
        return std::nullopt;
    return dialogue_.open_question();
}

/// A change must not stop half-way.
void Conversation::refuse_to_end() {
    if (asked_to_terminate())
        job_.audit.event(
            EventKind::warning, job_.state,
            {.message = "asked to stop, but the change is running and cannot be stopped; continuing",
             .stage = Stage::apply,
             .reason = Reason::busy});
}

/// A program that requires one key takes it, and a line feed would then answer its next question. A program
/// that edits the line itself continues to read keys and shows nothing after the answer. Only that one gets a
/// line feed.
std::optional<std::string> Conversation::end_of_answer(std::chrono::milliseconds quiet) {
    if (!unended_ || quiet < keys_settle)
        return std::nullopt;
    const auto answer = *std::exchange(unended_, std::nullopt);
    auto& terminal = job_.ports.terminal;
    return terminal.reads_keys() && terminal.awaits_input() && dialogue_.ends_with(answer)
               ? std::optional("\n")
               : std::nullopt;
}

/// `shown`: what the terminal shows of the answer, for the log.
std::string Conversation::type(const Answer& answer, const std::string& shown) {
    if (++answers_[answer.question] > most_answers)
        throw Failure(
            Reason::script_prompt_unknown,
            fmt::format("{} asks again and again, and takes no '{}' for an answer: {}", name_, answer.text,
                        answer.question),
            fmt::format("give the answer that it takes as [prompt.{}] to the configuration", answer.prompt));
    log_.line(shown);
    job_.audit.output(job_.state, shown);
    job_.audit.event(EventKind::prompt_answered, job_.state,
                     {.message = fmt::format("answered '{}' to \"{}\" (prompt '{}')", answer.text,
                                             answer.question, answer.prompt),
                      .stage = Stage::apply});
    if (answer.text.size() != 1 || !job_.ports.terminal.reads_keys())
        return answer.text + "\n";
    unended_ = answer.text;
    return answer.text;
}

void Conversation::record(const std::string& line) {
    // rpm's words, also in the form in which dnf5 passes them on.
    static const Pattern failed(
        "^((warning|error): |>>> )?(\\[RPM\\] )?%(post|posttrans|[a-z]*triggerin)[(].*[)] scriptlet failed");
    if (failed.found_in(line))
        failed_scriptlets_.push_back(line);
    log_.line(line);
    job_.audit.output(job_.state, line);
    if (line.find_first_not_of(" \t") != std::string::npos)
        last_words_ = line;
    unshown_ = squeezed(line);
    if (job_.ports.appliance.uptime() - shown_at_ >= std::chrono::seconds(1))
        show(std::exchange(unshown_, {}));
}

/// The status line goes through systemd. A package manager's flood of lines would keep systemd busy.
void Conversation::show(const std::string& text) {
    if (text.empty())
        return;
    shown_at_ = job_.ports.appliance.uptime();
    job_.audit.progress("apply: " + text);
}

} // namespace um
