#include "upgrade/apply.hpp"

#include "confirmation.hpp"
#include "system/file.hpp"
#include "system/termination.hpp"
#include "upgrade/product.hpp"
#include "upgrade/prompts.hpp"
#include "upgrade/version.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

namespace um {
namespace {

/// A question nobody answers stands still; a script that prints "Installing:" and works does so only briefly.
constexpr std::chrono::seconds question_limit{15};
/// "Generating initramfs:" may be work: stopping a transaction costs more than waiting a little longer.
constexpr std::chrono::seconds possible_question_limit{120};
/// Output comes cut anywhere: an answer waits until the question stands there whole.
constexpr std::chrono::milliseconds question_settles{300};

/// The log of the source, step 10. A log that cannot be written is no reason to stop a change half-way.
class Log {
public:
    Log(const std::string& path, Appliance& appliance) : path_(path), appliance_(appliance) {
        const auto slash = path.find_last_of('/');
        make_directories(path.substr(0, std::max<std::size_t>(slash, 1)), 0755);
        // Users of the product may own the directory: no link of theirs may send root's writes elsewhere.
        fd_ = open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0640);
        struct stat status {};
        if (::fstat(fd_.get(), &status) < 0)
            throw SystemFailure(fmt::format("stat '{}'", path), errno);
        if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
            throw SystemFailure(fmt::format("'{}' is a link or no regular file; move it away", path));
    }

    void line(const std::string& text) {
        try {
            write_all(fd_.get(), fmt::format("{} {}\n", iso8601(appliance_.now()), text), path_);
        } catch (const SystemFailure&) {
            // ignoring: the journal has the line as well, and the disk may be full just now
        }
    }

private:
    std::string path_;
    Appliance& appliance_;
    Fd fd_;
};

/// Runs of blanks as one: package managers pad their lines to the terminal's width.
std::string squeezed(const std::string& line) {
    std::string text;
    for (const char c : line)
        if (c != ' ' && c != '\t')
            text += c;
        else if (!text.empty() && text.back() != ' ')
            text += ' ';
    return text;
}

/// What the script says and what it is answered, on its way to the journal, the log and the status line.
class Conversation {
public:
    Conversation(Job& job, Log& log) : job_(job), log_(log), dialogue_(job.config.prompts) {}

    void hear(const std::string& output) {
        for (const auto& line : dialogue_.feed(output))
            record(line);
    }

    std::optional<std::string> reply(std::chrono::milliseconds quiet) {
        check_termination();
        show(std::exchange(unshown_, {}));
        if (quiet < question_settles)
            return std::nullopt;
        if (const auto answer = dialogue_.answer())
            return type(*answer, answer->question + " " + answer->text);
        if (quiet >= question_limit)
            if (const auto answer = dialogue_.answer_to_last_line())
                return type(*answer, answer->text);
        auto question = quiet >= question_limit ? dialogue_.open_question() : std::nullopt;
        if (!question && quiet >= possible_question_limit)
            question = dialogue_.possible_question();
        if (question)
            throw Failure(Reason::script_prompt_unknown,
                          fmt::format("the script asks an unknown question: {}", *question),
                          "add an answer for it as [prompt.X] to the configuration");
        if (quiet >= job_.config.apply.stall_timeout)
            throw Failure(
                Reason::script_stalled,
                fmt::format("the script printed nothing for {} s", job_.config.apply.stall_timeout.count()),
                fmt::format("look at {}", job_.config.log.file));
        return std::nullopt;
    }

    void finish() {
        if (const auto rest = dialogue_.take_rest(); !rest.empty())
            record(rest);
    }

private:
    /// `shown`: what the terminal shows of it, for the log.
    std::string type(const Answer& answer, const std::string& shown) {
        record(shown);
        job_.audit.event(EventKind::prompt_answered, job_.state,
                         {.message = fmt::format("answered '{}' to \"{}\" (prompt '{}')", answer.text,
                                                 answer.question, answer.prompt),
                          .stage = Stage::apply});
        return answer.text + "\n";
    }

    void record(const std::string& line) {
        log_.line(line);
        job_.audit.output(job_.state, line);
        unshown_ = squeezed(line);
        if (job_.ports.appliance.uptime() - shown_at_ >= std::chrono::seconds(1))
            show(std::exchange(unshown_, {}));
    }

    /// The status line goes through systemd, which a package manager's flood of lines would keep busy.
    void show(const std::string& text) {
        if (text.empty())
            return;
        shown_at_ = job_.ports.appliance.uptime();
        job_.audit.progress("apply: " + text);
    }

    Job& job_;
    Log& log_;
    Dialogue dialogue_;
    std::string unshown_; ///< the last line, when it is not on the status line yet
    std::chrono::microseconds shown_at_{0};
};

void run_script(Job& job, Log& log) {
    const auto script = job.config.media.mount_point + "/" + job.config.apply.script;
    Conversation conversation(job, log);
    const Terminal::Session session{
        [&](const std::string& output) { conversation.hear(output); },
        [&](std::chrono::milliseconds quiet) { return conversation.reply(quiet); }};
    log.line(fmt::format("um-upgrade {}: bash {}", job.state.id, script));
    const int status = job.ports.terminal.run(
        {"/bin/bash", script},
        {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "USER=root",
         "LOGNAME=root", "SHELL=/bin/bash", "TERM=dumb", "LANG=C.UTF-8", "UM_UPGRADE_ID=" + job.state.id},
        session);
    conversation.finish();
    log.line(fmt::format("um-upgrade {}: the script ended with status {}", job.state.id, status));
    if (status != 0)
        throw Failure(Reason::script_failed,
                      fmt::format("{} ended with status {}", job.config.apply.script, status),
                      fmt::format("look at {}; the snapshot is the way back", job.config.log.file));
}

/// Exit status 0 is not success: rpm hides failures of scriptlets. The product says what is installed now.
void check_version(Job& job) {
    const auto product = installed_product(job.ports.appliance, job.config);
    if (!product.version || compare_versions(*product.version, job.state.to_version) != 0)
        throw Failure(Reason::packages_incomplete,
                      fmt::format("the script ended well, but the product's version is '{}', not {}",
                                  product.said, job.state.to_version),
                      fmt::format("look at {}; the snapshot is the way back", job.config.log.file));
}

void load_own_stage(Job& job) {
    const auto state = job.store.load();
    if (!state || !state->open() || state->stage != Stage::apply || state->change != Change::none)
        throw UsageError(
            "'apply' is the change itself and no upgrade is in that stage; use 'um-upgrade run'");
    if (!job.ports.services.inside(apply_unit))
        throw UsageError(fmt::format("'apply' runs in {} only; use 'um-upgrade run'", apply_unit));
    job.state = *state;
}

void check_medium(Job& job) {
    const auto mounted = job.ports.mounts.device_at(job.config.media.mount_point);
    if (!mounted || *mounted != job.state.mount_device || job.state.boot_id != job.ports.appliance.boot_id())
        throw Failure(Reason::media_changed,
                      fmt::format("what stands on {} is not the medium that was authenticated",
                                  job.config.media.mount_point),
                      "start um-upgrade again");
}

/// The record tells the agent, which waits, why nothing was begun.
ExitCode fail_before_the_change(Job& job, Reason reason, const std::string& message,
                                const std::string& hint) {
    job.state.reason = reason;
    job.state.message = message;
    job.state.hint = hint;
    job.store.save(job.state);
    return exit_code(reason);
}

ExitCode change(Job& job, Log& log) {
    job.state.change = Change::begun;
    job.store.save(job.state);
    auto code = ExitCode::done;
    try {
        run_script(job, log);
        check_version(job);
        job.state.change = Change::done;
    } catch (const Failure& failure) {
        job.state.change = Change::failed;
        job.state.reason = failure.reason();
        job.state.message = failure.what();
        job.state.hint = failure.hint();
        code = exit_code(failure.reason());
        log.line(fmt::format("um-upgrade {}: {}", job.state.id, failure.what()));
    }
    job.ports.appliance.sync({"/", "/boot", "/var", "/opt"});
    job.store.save(job.state);
    return code;
}

} // namespace

ExitCode apply_change(Job& job) {
    load_own_stage(job);
    std::optional<Log> log;
    try {
        check_medium(job);
        log.emplace(job.config.log.file, job.ports.appliance);
    } catch (const Failure& failure) {
        return fail_before_the_change(job, failure.reason(), failure.what(), failure.hint());
    } catch (const SystemFailure& failure) {
        return fail_before_the_change(job, Reason::script_failed, failure.what(),
                                      "nothing was changed; mend it and start again");
    }
    return change(job, *log);
}

} // namespace um
