#include "upgrade/audit.hpp"

#include "base/text.hpp"

#include <array>
#include <syslog.h>

namespace um {
namespace {

constexpr std::array<std::string_view, event_kinds> message_ids{
    "103b8ed59b734829bdb7c46bc525ba23", // upgrade-started
    "575a9551d3394dc2b8a4b450673c54cd", // stage-started
    "31c332bf9ccf4aa789354247e1440bb7", // stage-finished
    "286a7a0248a44ef38df403f3500d143e", // stage-failed
    "768e281fa7cb46389350822558d80387", // refused
    "d6fd635e345441779bc6bc5ef886047f", // warning
    "cc5d72c7060a46d8b705e7d2dc3e195c", // prompt-answered
    "96a385cef093418589929fd6df2ad019", // reboot-requested
    "187e5c253de34bafbd7f03a20a94db1b", // upgrade-resumed
    "52953fdc092e46bdbfbeb4e8b0f04191", // rollback-started
    "fe479e947a404ca4b6ad7572fc800f5d", // rollback-finished
    "eef5355ff5ac456394a208000afa6546", // upgrade-finished
    "4b23c1de4c0f4be18ef0ad0f931db81c", // snapshot-confirmed
    "a2502c345e7842dd9c439d3fb6b6b97b", // abandoned
};

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

} // namespace

std::string_view message_id(EventKind kind) {
    return message_ids.at(static_cast<std::size_t>(kind));
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
    else
        console_.line(shown(kind, detail));
}

void Audit::finding(EventKind kind, const State& state, const Finding& finding) {
    event(kind, state,
          {.message = finding.message, .hint = finding.hint, .stage = state.stage, .reason = finding.reason});
}

void Audit::output(const State& state, const std::string& line) {
    Fields fields;
    add(fields, "MESSAGE", line.empty() ? " " : line);
    // What a chatty script prints must not use up what journald lets the events through by: it counts by
    // priority.
    add(fields, "PRIORITY", std::to_string(LOG_DEBUG));
    add(fields, "SYSLOG_IDENTIFIER", "upgrade-um");
    add(fields, "UM_UPGRADE_ID", state.id);
    add(fields, "UM_STAGE", word(state.stage));
    journal_.entry(fields);
}

void Audit::progress(const std::string& text) {
    journal_.status(text);
    console_.progress(text);
}

} // namespace um
