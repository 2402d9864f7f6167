#include "cli/report.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace um {
namespace {

using Json = nlohmann::ordered_json;

std::string verdict(const CheckResult& result) {
    if (!result.failure.empty())
        return "failed";
    if (result.nothing_to_do && !result.needs_person)
        return "nothing-to-do";
    return std::any_of(result.findings.begin(), result.findings.end(), is_refusal) ? "refused" : "ready";
}

/// Rows of a name and a value. A long value continues on further lines, below where it began.
class Table {
public:
    explicit Table(std::size_t width) : width_(width) {}

    void row(const std::string& name, const std::string& value) {
        if (!value.empty())
            add(fmt::format("{:>9}: ", name), value);
    }
    /// Adds what belongs to the row above.
    void below(const std::string& mark, const std::string& value) {
        if (!value.empty())
            add(std::string(11, ' ') + mark, value);
    }
    const std::string& text() const { return text_; }

private:
    void add(const std::string& beginning, const std::string& value) {
        const auto indent = beginning.size();
        const auto room = width_ > indent + 20 ? width_ - indent : std::string::npos;
        text_ += beginning;
        for (std::size_t at = 0; at < value.size();) {
            auto end = value.size() - at <= room ? value.size() : value.rfind(' ', at + room);
            if (end == std::string::npos || end <= at) // a long word may be a path, so it stays whole
                end = std::min(value.find(' ', at), value.size());
            text_ += (at == 0 ? "" : std::string(indent, ' ')) + value.substr(at, end - at) + "\n";
            at = end + 1;
        }
    }

    std::size_t width_;
    std::string text_;
};

/// One word for the state of the appliance's upgrade.
std::string situation(const std::optional<State>& state, const Activity& activity) {
    if (activity.running)
        return "running";
    if (!state)
        return "idle";
    if (state->waits_for_a_person())
        return "needs-manual";
    if (!state->open())
        return "idle";
    return state->waits_for_boot(activity.boot_id) ? "waiting-for-reboot" : "interrupted";
}

std::string next_step(const std::optional<State>& state, const std::string& situation) {
    if (situation == "running")
        return "watch it with 'um-upgrade status --follow'";
    if (situation == "waiting-for-reboot" && state->rolling_back())
        return "run 'reboot'; the upgrade is rolled back in that boot";
    if (situation == "waiting-for-reboot")
        return "run 'reboot'; the upgrade is verified after the boot";
    if (situation == "interrupted")
        return "it continues at the next boot, or now with 'systemctl start um-upgrade'";
    if (situation == "needs-manual")
        return way_out(*state);
    return state ? state->hint : "put media into /var/lib/um-upgrade/media and run 'um-upgrade check'";
}

std::string_view word(RollbackMode mode) {
    return mode == RollbackMode::automatic ? "auto" : mode == RollbackMode::offer ? "offer" : "off";
}

std::string told(const CheckResult& result) {
    if (result.rollback == RollbackMode::off)
        return "off ([rollback] mode = off)";
    if (!result.rollback_cost)
        return {};
    const auto& cost = result.rollback_cost->cost;
    return fmt::format("{} links and {} copies of {} would be kept, in about {:.0f} s", cost.links,
                       cost.copies, human_size(cost.bytes), std::max(1.0, result.rollback_cost->seconds));
}

/// Lists what would be kept, and how much of each disk that takes.
void tell_of_cost(Table& table, const RollbackCost& cost) {
    std::string covered = "every package's files";
    if (cost.packages != 0)
        covered += fmt::format(" ({} packages would be installed)", cost.packages);
    for (const auto& tree : cost.trees)
        covered += ", " + tree;
    table.below("", covered);
    for (const auto& need : cost.cost.needs)
        table.below("",
                    fmt::format("{} and {} files in {}", human_size(need.bytes), need.files, need.directory));
}

/// To tenths: an estimate is no more exact. std::round() would need libm, which the program has no other use
/// for.
double rounded(double seconds) {
    return std::stod(fmt::format("{:.1f}", seconds));
}

Json rollback_json(const CheckResult& result) {
    if (!result.rollback_cost && result.rollback != RollbackMode::off)
        return {};
    const auto cost = result.rollback_cost.value_or(RollbackCost{});
    Json stores = Json::array();
    for (const auto& need : cost.cost.needs)
        stores.push_back({{"directory", need.directory}, {"bytes", need.bytes}, {"files", need.files}});
    return {{"mode", word(result.rollback)},
            {"available", result.rollback_cost.has_value()},
            {"links", cost.cost.links},
            {"copies", cost.cost.copies},
            {"bytes", cost.cost.bytes},
            {"seconds", rounded(cost.seconds)},
            {"packages", cost.packages},
            {"trees", cost.trees},
            {"stores", stores}};
}

/// Whether a person can roll the upgrade back.
bool can_be_rolled_back(const State& state) {
    return state.has_kept_files && !state.rolling_back() && state.outcome.has_value();
}

std::string kept_files_text(const State& state) {
    if (!can_be_rolled_back(state))
        return {};
    const auto until = state.kept_until.empty() ? "a person has decided" : state.kept_until;
    return fmt::format("possible until {}{}{}", until, state.kept_summary.empty() ? "" : ": ",
                       state.kept_summary);
}

std::string versions(const State& state) {
    const auto known = [](const std::string& version) { return version.empty() ? "?" : version; };
    return fmt::format("{} -> {}", known(state.from_version), known(state.to_version));
}

std::string how_it_ended(const State& state) {
    return std::string(state.outcome ? word(*state.outcome) : "open");
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

/// A hostile file name or certificate may contain bytes that are not UTF-8. They are replaced instead of
/// causing an exception.
std::string dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

} // namespace

std::string check_text(const CheckResult& result, std::size_t width) {
    Table table(width);
    table.row("media", result.state.media);
    if (!result.state.to_version.empty())
        table.row("upgrade", versions(result.state));
    if (result.signer) {
        table.row("signer", result.signer->subject);
        table.below("", fmt::format("sha256:{}", result.signer->fingerprint));
        table.below("",
                    fmt::format("valid from {} to {}", result.signer->not_before, result.signer->not_after));
    }
    for (const auto& [algorithm, digest] : result.digests)
        table.row(std::string(name(algorithm)), digest);
    for (const auto& finding : result.findings) {
        table.row(is_refusal(finding) ? "refused" : "warning",
                  fmt::format("{} [{}]", finding.message, word(finding.reason)));
        table.below("-> ", finding.hint);
    }
    table.row("rollback", told(result));
    if (result.rollback_cost)
        tell_of_cost(table, *result.rollback_cost);
    const auto end = verdict(result);
    table.row("result", end == "failed"          ? "the check itself failed: " + result.failure
                        : end == "nothing-to-do" ? "nothing to do: " + result.note
                        : end == "ready"         ? "ready to upgrade"
                                                 : "the upgrade would be refused; nothing was changed");
    return table.text();
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
              {"rollback", rollback_json(result)},
              {"note", text_or_null(result.note)},
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

std::string status_text(const std::optional<State>& state, const Activity& activity, std::size_t width) {
    const auto now = situation(state, activity);
    Table table(width);
    table.row("state", now);
    table.row("now", activity.text);
    if (state) {
        table.row("upgrade", fmt::format("{} ({})", state->id, versions(*state)));
        table.row("media", state->media);
        table.row("stage", std::string(word(state->stage)));
        if (state->outcome) {
            table.row("outcome", std::string(word(*state->outcome)));
            table.row("ended", state->finished);
        }
        if (state->reason)
            table.row("reason", std::string(word(*state->reason)));
        table.row("message", state->message);
        table.row("rollback", kept_files_text(*state));
        table.row("abandoned", state->abandoned);
    }
    table.row("next", next_step(state, now));
    return table.text();
}

std::string status_json(const std::optional<State>& state, const Activity& activity) {
    const auto now = situation(state, activity);
    Json json{{"state", now},
              {"now", text_or_null(activity.text)},
              {"next", text_or_null(next_step(state, now))},
              {"way_back", nullptr},
              {"upgrade", nullptr}};
    if (state && can_be_rolled_back(*state))
        json["way_back"] = {{"until", text_or_null(state->kept_until)},
                            {"kept", text_or_null(state->kept_summary)}};
    if (state)
        json["upgrade"] = record_json(*state);
    return dump(json);
}

std::string history_text(const std::vector<State>& records) {
    std::string text;
    for (const auto& state : records)
        text += fmt::format("{}  {}  {:<23} {}{}\n", state.started, state.id, how_it_ended(state),
                            versions(state),
                            state.reason ? fmt::format("  [{}]", word(*state.reason)) : std::string());
    return text;
}

std::string record_text(const State& state, std::size_t width) {
    Table table(width);
    table.row("upgrade", fmt::format("{} ({})", state.id, versions(state)));
    table.row("media", state.media);
    table.row("sha256", state.media_sha256);
    table.row("signer", state.signer);
    table.row("started", state.started);
    table.row("ended", state.finished);
    table.row("attempts", std::to_string(state.attempts));
    table.row("stage", std::string(word(state.stage)));
    table.row("outcome", how_it_ended(state));
    if (state.reason)
        table.row("reason", std::string(word(*state.reason)));
    table.row("message", state.message);
    table.below("-> ", state.hint);
    table.row("rollback", kept_files_text(state));
    table.row("abandoned", state.abandoned);
    return table.text();
}

std::string history_json(const std::vector<State>& records) {
    Json json = Json::array();
    for (const auto& state : records)
        json.push_back(record_json(state));
    return dump(json);
}

} // namespace um
