#pragma once
// The audit trail: every transition is one structured journal entry with the contract's fields, and one line
// for the person at the terminal. No other code writes to the journal.

#include "base/console.hpp"
#include "base/failure.hpp"
#include "ports/journal.hpp"
#include "upgrade/state.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// What an event reports in addition to the state of the upgrade.
struct EventDetail {
    std::string message{};
    std::string hint{};
    std::optional<Stage> stage{};
    std::optional<Outcome> outcome{};
    std::optional<Reason> reason{};
    std::optional<std::chrono::microseconds> duration{};
};

/// The detail that reports a problem.
EventDetail detail_of(const Problem& problem);

class Audit {
public:
    Audit(Journal& journal, Console& console) : journal_(journal), console_(console) {}

    void event(EventKind kind, const State& state, const EventDetail& detail);
    /// Reports a refusal, failure or warning as an event of `kind`.
    void finding(EventKind kind, const State& state, const Finding& finding);
    /// A line of output that belongs to the upgrade but is no event: the script or the package manager
    /// printed it, or a repair or a rollback reports it.
    void output(const State& state, const std::string& line);
    /// A line about the upgrade that is no event. `took`: how long the work took.
    void note(const State& state, const std::string& text,
              std::optional<std::chrono::microseconds> took = {});
    /// What is happening now, for `systemctl status`, `um-upgrade status`, and the terminal.
    void progress(const std::string& text);
    /// How it ended, for `systemctl status` alone: the terminal has it already.
    void status(const std::string& text);

private:
    bool is_shown(const std::string& message) const;

    Journal& journal_;
    Console& console_;
    std::vector<std::string> shown_problems_; ///< their messages, which the terminal shows already
};

} // namespace um
