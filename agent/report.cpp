#include "report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace um {
namespace {

using Json = nlohmann::ordered_json;

std::string verdict(const CheckResult& result) {
    if (!result.failure.empty())
        return "failed";
    if (result.nothing_to_do)
        return "nothing-to-do";
    return std::any_of(result.findings.begin(), result.findings.end(), is_refusal) ? "refused" : "ready";
}

std::string row(const char* name, const std::string& value) {
    return value.empty() ? "" : fmt::format("{:>9}: {}\n", name, value);
}

/// One word for where things stand.
std::string situation(const std::optional<State>& state, const Activity& activity) {
    if (activity.running)
        return "running";
    if (!state)
        return "idle";
    if (state->waits_for_a_person())
        return "needs-manual";
    if (!state->open())
        return "idle";
    return state->stage == Stage::reboot ? "waiting-for-reboot" : "interrupted";
}

std::string next_step(const std::optional<State>& state, const std::string& situation) {
    if (situation == "running")
        return "watch it with 'um-upgrade status --follow'";
    if (situation == "waiting-for-reboot")
        return "run 'reboot'; the upgrade is verified after the boot";
    if (situation == "interrupted")
        return "it goes on at the next boot, or now with 'systemctl start um-upgrade'";
    if (situation == "needs-manual")
        return state->hint + "; afterwards: um-upgrade abandon --why TEXT";
    return state ? state->hint : "put media into /var/lib/um-upgrade/media and run 'um-upgrade check'";
}

Json text_or_null(std::string_view text) {
    return text.empty() ? Json() : Json(std::string(text));
}

Json record_json(const State& state) {
    return {{"id", state.id},
            {"stage", word(state.stage)},
            {"outcome", state.outcome ? Json(word(*state.outcome)) : Json()},
            {"reason", state.reason ? Json(word(*state.reason)) : Json()},
            {"message", text_or_null(state.message)},
            {"hint", text_or_null(state.hint)},
            {"from_version", text_or_null(state.from_version)},
            {"to_version", text_or_null(state.to_version)},
            {"media", text_or_null(state.media)},
            {"media_sha256", text_or_null(state.media_sha256)},
            {"signer", text_or_null(state.signer)},
            {"attempts", state.attempts},
            {"started", text_or_null(state.started)},
            {"finished", text_or_null(state.finished)},
            {"abandoned", text_or_null(state.abandoned)}};
}

/// Bytes of a hostile file name or certificate may be no UTF-8: they are replaced, not thrown at.
std::string dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string check_text(const CheckResult& result) {
    std::string text =
        row("media", result.state.media) +
        row("upgrade",
            result.state.to_version.empty()
                ? ""
                : fmt::format("{} -> {}", result.state.from_version.empty() ? "?" : result.state.from_version,
                              result.state.to_version));
    if (result.signer)
        text +=
            row("signer", result.signer->subject) +
            row("", fmt::format("sha256:{}", result.signer->fingerprint)) +
            row("", fmt::format("valid from {} to {}", result.signer->not_before, result.signer->not_after));
    for (const auto& [algorithm, digest] : result.digests)
        text += row(std::string(name(algorithm)).c_str(), digest);
    for (const auto& finding : result.findings) {
        text += fmt::format("{:>9}: {} [{}]\n", is_refusal(finding) ? "refused" : "warning", finding.message,
                            word(finding.reason));
        if (!finding.hint.empty())
            text += fmt::format("{:>9}  -> {}\n", "", finding.hint);
    }
    if (!result.failure.empty())
        return text + row("result", "the check itself failed: " + result.failure);
    if (result.nothing_to_do)
        return text + row("result", "nothing to do: " + result.note);
    return text + row("result", verdict(result) == "ready"
                                    ? "ready to upgrade"
                                    : "the upgrade would be refused; nothing was changed");
}

std::string check_json(const CheckResult& result) {
    Json findings = Json::array();
    for (const auto& finding : result.findings)
        findings.push_back({{"severity", is_refusal(finding) ? "refusal" : "warning"},
                            {"reason", word(finding.reason)},
                            {"message", finding.message},
                            {"hint", text_or_null(finding.hint)}});
    Json json{{"outcome", verdict(result)},
              {"media", text_or_null(result.state.media)},
              {"from_version", text_or_null(result.state.from_version)},
              {"to_version", text_or_null(result.state.to_version)},
              {"sha256", text_or_null(result.state.media_sha256)},
              {"digests", Json::object()},
              {"signer", nullptr},
              {"findings", findings},
              {"failure", text_or_null(result.failure)}};
    for (const auto& [algorithm, digest] : result.digests)
        json["digests"][std::string(name(algorithm))] = digest;
    if (result.signer)
        json["signer"] = {{"subject", result.signer->subject},
                          {"fingerprint", "sha256:" + result.signer->fingerprint},
                          {"not_before", result.signer->not_before},
                          {"not_after", result.signer->not_after}};
    return dump(json);
}

std::string status_text(const std::optional<State>& state, const Activity& activity) {
    const auto now = situation(state, activity);
    std::string text = row("state", now);
    if (!activity.text.empty())
        text += row("now", activity.text);
    if (state) {
        text +=
            row("upgrade", fmt::format("{} ({} -> {})", state->id, state->from_version, state->to_version)) +
            row("media", state->media) + row("stage", std::string(word(state->stage)));
        if (state->outcome)
            text += row("outcome", std::string(word(*state->outcome))) + row("ended", state->finished);
        if (state->reason)
            text += row("reason", std::string(word(*state->reason)));
        text += row("message", state->message) + row("abandoned", state->abandoned);
    }
    return text + row("next", next_step(state, now));
}

std::string status_json(const std::optional<State>& state, const Activity& activity) {
    const auto now = situation(state, activity);
    Json json{{"state", now},
              {"now", text_or_null(activity.text)},
              {"next", text_or_null(next_step(state, now))},
              {"upgrade", nullptr}};
    if (state)
        json["upgrade"] = record_json(*state);
    return dump(json);
}

std::string history_text(const std::vector<State>& records) {
    std::string text;
    for (const auto& state : records)
        text +=
            fmt::format("{}  {}  {:<23} {} -> {}{}\n", state.started, state.id,
                        state.outcome ? word(*state.outcome) : "open", state.from_version, state.to_version,
                        state.reason ? fmt::format("  [{}]", word(*state.reason)) : std::string());
    return text;
}

std::string history_json(const std::vector<State>& records) {
    Json json = Json::array();
    for (const auto& state : records)
        json.push_back(record_json(state));
    return dump(json);
}

} // namespace um
