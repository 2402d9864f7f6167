#include "upgrade/audit.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <syslog.h>

namespace um {
namespace {

int priority(EventKind kind, const EventDetail& detail) {
    switch (kind) {
    case EventKind::stage_failed:
    case EventKind::refused:
        return LOG_ERR;
    case EventKind::warning:
        return LOG_WARNING;
    case EventKind::upgrade_finished:
        return detail.outcome == Outcome::needs_manual ? LOG_CRIT : LOG_NOTICE;
    case EventKind::stage_started:
    case EventKind::stage_finished:
    case EventKind::prompt_answered:
        return LOG_INFO;
    default:
        return LOG_NOTICE;
    }
}

void add(Fields& fields, const char* name, std::string_view value) {
    if (!value.empty())
        fields.emplace_back(name, as_utf8(std::string(value)));
}

void add_upgrade(Fields& fields, const State& state) {
    add(fields, "UM_UPGRADE_ID", state.id);
    add(fields, "UM_FROM_VERSION", state.from_version);
    add(fields, "UM_TO_VERSION", state.to_version);
    add(fields, "UM_MEDIA", state.media);
    add(fields, "UM_MEDIA_SHA256", state.media_sha256);
    add(fields, "UM_SIGNER", state.signer);
}

std::string shown(EventKind kind, const EventDetail& detail) {
    const auto where = detail.stage ? fmt::format("{:<12} ", word(*detail.stage)) : std::string();
    const auto why = detail.reason ? fmt::format(" [{}]", word(*detail.reason)) : std::string();
    const auto hint = detail.hint.empty() ? std::string() : fmt::format("\n    -> {}", detail.hint);
    const auto mark = kind == EventKind::refused || kind == EventKind::stage_failed ? "REFUSED: "
                      : kind == EventKind::warning                                  ? "warning: "
                                                                                    : "";
    return where + (kind == EventKind::stage_failed ? "FAILED: " : mark) + detail.message + why + hint;
}

/// The last line on a terminal, below the problem that it shows already.
std::string ended(const EventDetail& detail) {
    const auto outcome = detail.outcome.value_or(Outcome::failed);
    if (outcome != Outcome::needs_manual)
        return fmt::format("{}: nothing was changed", word(outcome));
    // The way out may be another one by now than when the problem was met.
    return fmt::format("{}: a person must decide; see 'um-upgrade status'\n    -> {}", word(outcome),
                       detail.hint);
}

} // namespace

EventDetail detail_of(const Problem& problem) {
    return {.message = problem.message, .hint = problem.hint, .reason = problem.reason};
}

bool Audit::is_shown(const std::string& message) const {
    return std::ranges::any_of(shown_problems_,
                               [&](const std::string& problem) { return message.ends_with(problem); });
}

void Audit::event(EventKind kind, const State& state, const EventDetail& detail) {
    Fields fields;
    add(fields, "MESSAGE",
        detail.hint.empty() ? detail.message : fmt::format("{} ({})", detail.message, detail.hint));
    add(fields, "MESSAGE_ID", message_id(kind));
    add(fields, "PRIORITY", std::to_string(priority(kind, detail)));
    add(fields, "SYSLOG_IDENTIFIER", "um-upgrade");
    add(fields, "UM_EVENT", word(kind));
    if (detail.stage)
        add(fields, "UM_STAGE", word(*detail.stage));
    if (detail.outcome)
        add(fields, "UM_OUTCOME", word(*detail.outcome));
    if (detail.reason)
        add(fields, "UM_REASON", word(*detail.reason));
    if (detail.duration)
        add(fields, "UM_DURATION_USEC", std::to_string(detail.duration->count()));
    add_upgrade(fields, state);
    journal_.entry(fields);
    if (kind == EventKind::stage_started)
        progress(detail.message);
    else if (kind == EventKind::upgrade_finished && is_shown(detail.message))
        console_.line(ended(detail));
    else
        console_.line(shown(kind, detail));
    if (kind == EventKind::refused || kind == EventKind::stage_failed)
        shown_problems_.push_back(detail.message);
}

void Audit::finding(EventKind kind, const State& state, const Finding& finding) {
    auto detail = detail_of(finding);
    detail.stage = state.stage;
    event(kind, state, detail);
}

void Audit::output(const State& state, const std::string& line) {
    Fields fields;
    add(fields, "MESSAGE", line.empty() ? " " : line);
    // journald limits the rate of each priority. A script that prints a lot must not use up the share of the
    // events.
    add(fields, "PRIORITY", std::to_string(LOG_DEBUG));
    add(fields, "SYSLOG_IDENTIFIER", "upgrade-um");
    add(fields, "UM_UPGRADE_ID", state.id);
    add(fields, "UM_STAGE", word(state.stage));
    journal_.entry(fields);
}

void Audit::note(const State& state, const std::string& text, std::optional<std::chrono::microseconds> took) {
    Fields fields;
    add(fields, "MESSAGE", text);
    add(fields, "PRIORITY", std::to_string(LOG_INFO));
    add(fields, "SYSLOG_IDENTIFIER", "um-upgrade");
    add(fields, "UM_STAGE", word(state.stage));
    if (took)
        add(fields, "UM_DURATION_USEC", std::to_string(took->count()));
    add_upgrade(fields, state);
    journal_.entry(fields);
}

void Audit::status(const std::string& text) {
    journal_.status(text);
}

void Audit::progress(const std::string& text) {
    journal_.status(text);
    console_.progress(text);
}

} // namespace um
