// Child processes, with and without a terminal.

#include "base/failure.hpp"
#include "system/process.hpp"
#include "system/pty_terminal.hpp"

#include "support/scratch.hpp"
#include "support/wrap.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace um;
using std::chrono::seconds;
using um::test::Scratch;

namespace {

constexpr seconds long_enough{100};

CommandResult sh(const std::string& script, const std::string& user = "", seconds limit = long_enough) {
    return run_process({"/bin/sh", "-c", script}, user, limit);
}

/// Whether a process is gone or only waits to be reaped. A script wrote its id into the file.
bool gone(const std::string& pid_file) {
    std::ifstream status("/proc/" + std::to_string(std::stoi(um::test::text_of(pid_file))) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.rfind("State:", 0) == 0)
            return line.find('Z') != std::string::npos || line.find('X') != std::string::npos;
    return true;
}

/// How many descriptors every program inherits from this process: 0, 1, 2, and those that its own parent left
/// open.
std::size_t inherited() {
    std::size_t count = 0;
    for (int fd = 0; fd < 1024; ++fd)
        if (const int flags = ::fcntl(fd, F_GETFD); flags >= 0 && (flags & FD_CLOEXEC) == 0)
            ++count;
    return count;
}

/// The adapter does not wait for a program that will not end.
struct FastClock : um::test::Wrapped<FastClock> {
    static int usleep(useconds_t) { return 0; }
};

/// A session that answers once when the output contains `question`.
struct Talk {
    std::string question;
    std::string answer;
    std::string heard{};

    Terminal::Session session() {
        return {[this](const std::string& output) { heard += output; },
                [this](std::chrono::milliseconds) -> std::optional<std::string> {
                    if (question.empty() || heard.find(question) == std::string::npos)
                        return std::nullopt;
                    question.clear();
                    return answer + "\n";
                }};
    }
};

int on_terminal(const std::string& script, const Terminal::Session& session) {
    return PtyTerminal().run({"/bin/bash", "-c", script}, {"PATH=/usr/bin:/bin", "MARK=set"}, session);
}

int on_terminal(const std::string& script, std::string& heard) {
    Talk talk{"", "", ""};
    const int status = on_terminal(script, talk.session());
    heard = talk.heard;
    return status;
}

} // namespace

UM_WRAP(FastClock, int, usleep, (useconds_t time), (time))

TEST(Process, GivesStatusAndBothOutputsApart) {
    const auto result = sh("echo out; echo err >&2; echo more; exit 3");
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.output, "out\nmore\n");
    EXPECT_EQ(result.errors, "err\n");
    EXPECT_FALSE(result.timed_out);
}

TEST(Process, CountsSignalsAsAShellDoes) {
    EXPECT_EQ(sh("kill -TERM $$").status, 128 + SIGTERM);
    EXPECT_EQ(sh("kill -KILL $$").status, 128 + SIGKILL);
}

TEST(Process, HasNoInput) {
    EXPECT_EQ(sh("cat; echo end").output, "end\n");
}

TEST(Process, IsLookedForAlongThePath) {
    EXPECT_EQ(run_process({"echo", "a b", "$HOME", "*"}, "", long_enough).output,
              "a b $HOME *\n"); // no shell expands them
}

TEST(Process, SaysWhatCannotBeRun) {
    const auto result = run_process({"/no/such/program"}, "", long_enough);
    EXPECT_EQ(result.status, 127);
    EXPECT_EQ(result.errors, "'/no/such/program' cannot be run");
}

TEST(Process, KeepsSoMuchOfEachOutput) {
    const auto result = sh("head -c 40000000 /dev/zero >&2; head -c 40000000 /dev/zero");
    EXPECT_EQ(result.status, 0); // the rest does not block the program
    EXPECT_EQ(result.output.size(), 32U * 1024 * 1024);
    EXPECT_EQ(result.errors.size(), 32U * 1024 * 1024);
}

TEST(Process, IsEndedWithItsGroupAtTheTimeLimit) {
    const Scratch scratch;
    const auto result =
        sh("sleep 1000 & echo $! > " + scratch / "pid" + "; echo begun; wait", "", seconds(1));
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.status, 128 + SIGTERM);
    EXPECT_EQ(result.output, "begun\n");
    while (!gone(scratch / "pid"))
        ::sched_yield(); // it is killed, but init may not have reaped it yet
}

TEST(Process, HasTimeToTidyUpAtTheTimeLimit) {
    const Scratch scratch;
    const auto script =
        "trap 'echo tidy > " + scratch / "told" + "; exit 5' TERM; while :; do sleep 0.1; done";
    const auto result = sh(script, "", seconds(1));
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.status, 5);
    EXPECT_EQ(um::test::text_of(scratch / "told"), "tidy\n");
}

TEST(Process, IsKilledWhenItDoesNotEndAtTheTimeLimit) {
    EXPECT_EQ(sh("trap '' TERM; echo begun; while :; do sleep 0.1; done", "", seconds(1)).status,
              128 + SIGKILL);
}

TEST(Process, CannotReachItsCallersTerminal) { // else it could type commands for root's shell
    int terminal = -1;
    const auto child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    ASSERT_GE(child, 0);
    if (child == 0) {
        const um::Fd own(::open("/dev/tty", O_RDWR | O_CLOEXEC));
        ::_exit(own && sh("exec 3</dev/tty", "nobody").status == 2 ? 0 : 1);
    }
    const um::Fd end(terminal);
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

TEST(Process, IsEndedAtTheTimeLimitThoughItClosedItsOutput) {
    const auto result = sh("echo begun; exec >&- 2>&-; sleep 1000", "", seconds(1));
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.status, 128 + SIGTERM);
    EXPECT_EQ(result.output, "begun\n");
}

TEST(Process, IsWaitedForThoughItClosedItsOutput) {
    EXPECT_EQ(sh("exec >&- 2>&-; sleep 0.2; exit 4").status, 4);
}

TEST(Process, HasACleanEnvironment) {
    ::setenv("UM_TEST_SECRET", "leaked", 1);
    const auto result = sh("env | cut -d= -f1 | sort | tr '\\n' ' '");
    EXPECT_EQ(result.output, "HOME LANG LOGNAME PATH PWD USER ");
    ::unsetenv("UM_TEST_SECRET");
}

TEST(Process, RunsAsAnotherUserWithItsGroupsAndNoOthers) {
    std::vector<gid_t> own(64);
    own.resize(static_cast<std::size_t>(::getgroups(64, own.data())));
    const gid_t adm = 4;
    ASSERT_EQ(::setgroups(1, &adm), 0);
    const auto result = sh("id -un; id -Gn; echo $HOME $USER $LOGNAME; pwd; cat /etc/shadow", "nobody");
    ASSERT_EQ(::setgroups(own.size(), own.data()), 0);
    EXPECT_EQ(result.output.find("nobody\nnogroup\n/nonexistent nobody nobody\n/\n"), 0U) << result.output;
    EXPECT_NE(result.errors.find("Permission denied"), std::string::npos) << result.errors;
}

TEST(Process, CannotRunAsAUserThatIsNot) {
    try {
        sh("true", "no-such-user");
        ADD_FAILURE() << "ran";
    } catch (const SystemFailure& failure) {
        EXPECT_STREQ(failure.what(), "there is no user 'no-such-user'");
    }
}

TEST(Process, InheritsNoDescriptorAndLeavesNone) {
    const auto before = um::test::open_descriptors();
    const auto result = sh("ls /proc/self/fd | wc -l");
    EXPECT_EQ(result.output, std::to_string(inherited() + 1) + "\n"); // plus the directory that ls reads
    EXPECT_EQ(um::test::open_descriptors(), before);
}

TEST(Pty, AnswersWhatReadAsks) {
    Talk talk{"(y/n): ", "y", ""};
    EXPECT_EQ(on_terminal("read -r -p 'Snapshot? (y/n): ' reply; echo \"got $reply\"", talk.session()), 0);
    EXPECT_NE(talk.heard.find("Snapshot? (y/n): "), std::string::npos);
    EXPECT_NE(talk.heard.find("got y\r\n"), std::string::npos) << talk.heard;
}

TEST(Pty, IsATerminalOnAllThreeDescriptors) {
    std::string heard;
    EXPECT_EQ(
        on_terminal("[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo here > /dev/tty; stty size; echo $MARK $HOME",
                    heard),
        0);
    EXPECT_EQ(heard, "here\r\n50 160\r\nset\r\n");
}

TEST(Pty, GivesTheExitStatus) {
    std::string heard;
    EXPECT_EQ(on_terminal("exit 7", heard), 7);
    EXPECT_EQ(on_terminal("kill -TERM $$", heard), 128 + SIGTERM);
    EXPECT_EQ(PtyTerminal().run({"/no/such/program"}, {}, Talk{"", "", ""}.session()), 127);
}

TEST(Pty, ReadsEverythingBeforeTheEnd) {
    std::string heard;
    EXPECT_EQ(on_terminal("head -c 300000 /dev/zero | tr '\\0' x", heard), 0);
    EXPECT_EQ(heard, std::string(300'000, 'x'));
}

TEST(Pty, WaitsForAProgramThatClosesItsTerminal) {
    std::string heard;
    EXPECT_EQ(on_terminal("exec <&- >&- 2>&-; sleep 0.3; exit 5", heard), 5);
}

TEST(Pty, DoesNotWaitForADaemonThatKeepsTheTerminal) {
    const Scratch scratch;
    std::string heard;
    EXPECT_EQ(on_terminal("trap '' HUP; sleep 1000 & echo $! > " + scratch / "pid" + "; echo done", heard),
              0);
    EXPECT_EQ(heard, "done\r\n");
    EXPECT_FALSE(gone(scratch / "pid"));
    ::kill(std::stoi(um::test::text_of(scratch / "pid")), SIGKILL);
}

TEST(Pty, DoesNotListenForeverToADaemonThatKeepsTalking) {
    const Scratch scratch;
    std::string heard;
    const auto chatter =
        "(trap '' HUP; while sleep 0.01; do echo chatter; done) & echo $! > " + scratch / "pid";
    EXPECT_EQ(on_terminal(chatter + "; echo done; exit 6", heard), 6);
    EXPECT_NE(heard.find("done\r\n"), std::string::npos);
    ::kill(std::stoi(um::test::text_of(scratch / "pid")), SIGKILL);
}

TEST(Pty, EndsAProgramWhoseSessionThrows) {
    const Scratch scratch;
    const Terminal::Session session{[](const std::string&) {},
                                    [&](std::chrono::milliseconds) -> std::optional<std::string> {
                                        if (std::ifstream(scratch / "ready"))
                                            throw Failure(Reason::script_prompt_unknown, "who?");
                                        return std::nullopt;
                                    }};
    EXPECT_THROW(on_terminal("echo $$ > " + scratch / "pid" + "; touch " + scratch / "ready" + "; sleep 1000",
                             session),
                 Failure);
    EXPECT_TRUE(gone(scratch / "pid"));
}

TEST(Pty, KillsAProgramThatIgnoresTheHangup) {
    const Scratch scratch;
    const FastClock fast;
    const Terminal::Session session{[](const std::string& output) {
                                        if (output.find("ready") != std::string::npos)
                                            throw Failure(Reason::script_stalled, "too long");
                                    },
                                    [](std::chrono::milliseconds) { return std::optional<std::string>(); }};
    EXPECT_THROW(on_terminal("trap '' HUP; echo $$ > " + scratch / "pid" +
                                 "; echo ready; while :; do sleep 1000; done",
                             session),
                 Failure);
    EXPECT_TRUE(gone(scratch / "pid"));
}

TEST(Pty, InheritsNoDescriptorAndLeavesNone) {
    const auto before = um::test::open_descriptors();
    std::string heard;
    on_terminal("ls /proc/self/fd | wc -l", heard);
    EXPECT_EQ(heard, std::to_string(inherited() + 1) + "\r\n");
    EXPECT_EQ(um::test::open_descriptors(), before);
}

TEST(PtyTerminal, KnowsWhetherSomebodyWaitsForInput) {
    const Scratch scratch;
    PtyTerminal terminal;
    bool seen_working = false;
    bool seen_reading = false;
    std::string heard;
    const Terminal::Session session{[&](const std::string& output) { heard += output; },
                                    [&](std::chrono::milliseconds) -> std::optional<std::string> {
                                        if (heard.find("asks") == std::string::npos) {
                                            seen_working = seen_working || terminal.awaits_input();
                                            return std::nullopt;
                                        }
                                        if (!terminal.awaits_input())
                                            return std::nullopt; // it has printed that, and reads soon
                                        seen_reading = true;
                                        return "an answer\n";
                                    }};
    // The first read is not from the terminal. The last one is: a child reads it as /dev/tty.
    const int status = terminal.run({"/bin/bash", "-c",
                                     "mkfifo \"$0\"; (sleep 1; echo x > \"$0\") & read -r x < \"$0\"; wait; "
                                     "echo asks; (read -r answer < /dev/tty; [ \"$answer\" = 'an answer' ])",
                                     scratch / "fifo"},
                                    {"PATH=/usr/bin:/bin"}, session);
    EXPECT_EQ(status, 0) << heard;
    EXPECT_FALSE(seen_working);
    EXPECT_TRUE(seen_reading);
}

TEST(PtyTerminal, KnowsWhetherKeysOrLinesAreRead) {
    PtyTerminal terminal;
    std::string seen;
    std::string heard;
    const Terminal::Session session{[&](const std::string& output) { heard += output; },
                                    [&](std::chrono::milliseconds) -> std::optional<std::string> {
                                        if (!terminal.awaits_input())
                                            return std::nullopt;
                                        seen += terminal.reads_keys() ? "keys " : "line ";
                                        return seen.size() == 5 ? "a" : "bc\n";
                                    }};
    EXPECT_EQ(terminal.run({"/bin/bash", "-c", "read -n 1 x; read -r y; [ \"$x$y\" = abc ]"},
                           {"PATH=/usr/bin:/bin"}, session),
              0);
    EXPECT_EQ(seen, "keys line ");
    EXPECT_FALSE(terminal.reads_keys()); // no program runs
}

TEST(Pty, HearsAProgramThatClosesItsTerminalAndOpensItAgain) {
    std::string heard;
    EXPECT_EQ(on_terminal("exec <&- >&- 2>&-; sleep 0.3; echo again >/dev/tty; exit 5", heard), 5);
    EXPECT_EQ(heard, "again\r\n");
}

TEST(PtyTerminal, SeesWhoWaitsWithSelectForItsStandardInput) {
    for (const std::string how : {"read -r -t 60 x", "read -r -e x"}) {
        PtyTerminal terminal;
        const Terminal::Session session{[](const std::string&) {},
                                        [&](std::chrono::milliseconds) -> std::optional<std::string> {
                                            return terminal.awaits_input() ? std::optional("a\n")
                                                                           : std::nullopt;
                                        }};
        EXPECT_EQ(
            terminal.run({"/bin/bash", "-c", how + "; [ \"$x\" = a ]"}, {"PATH=/usr/bin:/bin"}, session), 0)
            << how;
    }
}

TEST(PtyTerminal, HearsAQuestionBeforeItSeesWhoReadsTheAnswer) {
    PtyTerminal terminal;
    const Scratch scratch;
    std::string heard;
    bool seen_early = false;
    const Terminal::Session session{[&](const std::string& output) { heard += output; },
                                    [&](std::chrono::milliseconds) -> std::optional<std::string> {
                                        // Meanwhile it asks and reads. Its output waits on the terminal.
                                        for (int i = 0; i < 200 && heard.empty(); ++i) {
                                            std::ofstream(scratch / "go") << i;
                                            seen_early = seen_early || terminal.awaits_input();
                                        }
                                        return heard.empty() ? std::nullopt : std::optional("a\n");
                                    }};
    EXPECT_EQ(terminal.run({"/bin/bash", "-c",
                            "until [ -e \"$0\" ]; do :; done; read -r -p 'asks? ' x; [ \"$x\" = a ]",
                            scratch / "go"},
                           {"PATH=/usr/bin:/bin"}, session),
              0);
    EXPECT_FALSE(seen_early);
}
