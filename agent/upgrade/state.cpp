#include "upgrade/state.hpp"

#include "base/ini.hpp"

#include <charconv>
#include <functional>
#include <map>

namespace um {
namespace {

constexpr std::string_view format = "1";
constexpr std::size_t piece = 60; // bytes of a value on one line; escaping makes at most three times as many

constexpr std::string_view left_to_the_operator = "operator";
constexpr std::string_view change_words[] = {"none", "begun", "done", "failed"};
constexpr std::string_view rollback_words[] = {"", "due", "taken", "failed"};
constexpr std::string_view kept = "kept";

/// Only what INI would misread is escaped: control characters, ';' and '#' (comments), and outer spaces; and
/// '%', which marks an escape.
std::string escape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool outer_space = byte == ' ' && (i == 0 || i + 1 == text.size());
        if (byte < 0x20 || byte == 0x7f || byte == '%' || byte == ';' || byte == '#' || outer_space)
            result += fmt::format("%{:02X}", byte);
        else
            result += text[i];
    }
    return result;
}

std::string unescape(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        const auto digits = text.substr(i + 1, 2);
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() != 2 || parsed.ptr != digits.data() + 2)
            throw SystemFailure("a '%' that two hexadecimal digits do not follow");
        result += static_cast<char>(value);
        i += 2;
    }
    return result;
}

/// One key with its value. A long value is wrapped over indented lines.
std::string key_line(std::string_view key, std::string_view value) {
    auto result = fmt::format("{} = {}\n", key, escape(value.substr(0, piece)));
    for (std::size_t at = piece; at < value.size(); at += piece)
        result += fmt::format("  {}\n", escape(value.substr(at, piece)));
    return result;
}

template <class Number>
Number number(const std::string& text) {
    Number value{};
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        throw SystemFailure(fmt::format("'{}' is no number", text));
    return value;
}

template <class Enum>
Enum known(std::optional<Enum> value, const std::string& text) {
    if (!value)
        throw SystemFailure(fmt::format("'{}' is no word of this record", text));
    return *value;
}

template <class Enum, std::size_t N>
std::optional<Enum> enum_from(const std::string_view (&words)[N], std::string_view text) {
    for (std::size_t i = 0; i < N; ++i)
        if (words[i] == text)
            return static_cast<Enum>(i);
    return std::nullopt;
}

/// A flag is a word in the record, or is absent.
bool is_word(const std::string& text, std::string_view word) {
    if (text != word)
        throw SystemFailure(fmt::format("'{}' is no word of this record", text));
    return true;
}

/// How a key of the record is written (empty text: left out) and read. One table has both, so that they
/// agree.
struct Field {
    std::string_view key;
    std::function<std::string(const State&)> write;
    std::function<void(State&, const std::string&)> read;
};

Field text_field(std::string_view key, std::string State::*member) {
    return {key, [member](const State& state) { return state.*member; },
            [member](State& state, const std::string& text) { state.*member = text; }};
}

const std::vector<Field>& fields() {
    static const std::vector<Field> table{
        text_field("id", &State::id),
        {"stage", [](const State& s) { return std::string(word(s.stage)); },
         [](State& s, const std::string& t) { s.stage = known(stage_from(t), t); }},
        {"outcome", [](const State& s) { return std::string(s.outcome ? word(*s.outcome) : ""); },
         [](State& s, const std::string& t) { s.outcome = known(outcome_from(t), t); }},
        {"reason", [](const State& s) { return std::string(s.reason ? word(*s.reason) : ""); },
         [](State& s, const std::string& t) { s.reason = known(reason_from(t), t); }},
        text_field("message", &State::message),
        text_field("hint", &State::hint),
        {"attempts", [](const State& s) { return std::to_string(s.attempts); },
         [](State& s, const std::string& t) { s.attempts = number<unsigned>(t); }},
        {"tries", [](const State& s) { return std::to_string(s.tries); },
         [](State& s, const std::string& t) { s.tries = number<unsigned>(t); }},
        text_field("boot_id", &State::boot_id),
        text_field("started", &State::started),
        text_field("finished", &State::finished),
        text_field("from_version", &State::from_version),
        text_field("to_version", &State::to_version),
        text_field("config", &State::config),
        text_field("requested_media", &State::requested_media),
        text_field("media", &State::media),
        text_field("media_sha256", &State::media_sha256),
        text_field("manifest", &State::manifest),
        text_field("signer", &State::signer),
        {"mount_device", [](const State& s) { return std::to_string(s.mount_device); },
         [](State& s, const std::string& t) { s.mount_device = number<std::uint64_t>(t); }},
        {"change", [](const State& s) { return std::string(word(s.change)); },
         [](State& s, const std::string& t) { s.change = known(enum_from<Change>(change_words, t), t); }},
        {"reboot", [](const State& s) { return std::string(s.reboot_is_left ? left_to_the_operator : ""); },
         [](State& s, const std::string& t) { s.reboot_is_left = is_word(t, left_to_the_operator); }},
        {"way_back", [](const State& s) { return std::string(s.has_kept_files ? kept : ""); },
         [](State& s, const std::string& t) { s.has_kept_files = is_word(t, kept); }},
        text_field("kept", &State::kept_summary),
        text_field("kept_until", &State::kept_until),
        {"rollback", [](const State& s) { return std::string(word(s.rollback)); },
         [](State& s, const std::string& t) {
             s.rollback = known(enum_from<RollbackStep>(rollback_words, t), t);
         }},
        text_field("rollback_why", &State::rollback_why),
        text_field("stopped", &State::stopped),
        text_field("method", &State::method),
        text_field("sshd", &State::sshd),
        text_field("unwell", &State::unhealthy),
        text_field("abandoned", &State::abandoned),
    };
    return table;
}

} // namespace

std::string_view word(Change change) {
    return change_words[static_cast<std::size_t>(change)];
}

std::string_view word(RollbackStep step) {
    return rollback_words[static_cast<std::size_t>(step)];
}

void State::set_problem(const Problem& problem) {
    reason = problem.reason;
    message = problem.message;
    hint = problem.hint;
}

Problem State::problem(Reason otherwise) const {
    return {reason.value_or(otherwise), message, hint};
}

void State::clear_problem() {
    reason.reset();
    message.clear();
    hint.clear();
}

std::string way_out(const State& state) {
    return state.hint + (state.goes_on_when_mended()
                             ? "; continue with 'systemctl start um-upgrade', or close it with "
                               "'um-upgrade abandon --why TEXT'"
                             : "; to keep the appliance as it is: um-upgrade abandon --why TEXT");
}

std::string to_ini(const State& state) {
    std::string text = "# Kept by um-upgrade; do not edit.\n[upgrade]\n" + key_line("format", format);
    for (const auto& field : fields())
        if (const auto value = field.write(state); !value.empty())
            text += key_line(field.key, value);
    return text + "complete = yes\n"; // the last line; a record without it was cut short
}

Failure damaged_record(const std::string& where, const std::string& why) {
    return {Reason::state_damaged, fmt::format("{}: the record is damaged: {}", where, why),
            "look at 'journalctl -t um-upgrade', then close it with 'um-upgrade abandon --why TEXT'"};
}

State parse_state(const std::string& text, const std::string& where) {
    std::map<std::string, std::string> values;
    try {
        for (const auto& entry : parse_ini(text, Continuation::joined_tightly))
            if (entry.section != "upgrade" || !values.emplace(entry.name, unescape(entry.value)).second)
                throw SystemFailure(fmt::format("line {} is unexpected", entry.line));
    } catch (const std::runtime_error& error) {
        throw damaged_record(where, error.what());
    }
    const auto version = values.extract("format");
    if (!version)
        throw damaged_record(where, "it names no format");
    if (version.mapped() != format)
        throw Failure(
            Reason::state_unknown_format,
            fmt::format("{}: format {} is not known to um-upgrade {}", where, version.mapped(), UM_VERSION),
            "install the um-upgrade that wrote it, or close it with 'um-upgrade abandon --why TEXT'");
    if (!values.extract("complete"))
        throw damaged_record(where, "it ends early");
    State state;
    try {
        for (const auto& field : fields())
            if (const auto value = values.extract(std::string(field.key)))
                field.read(state, value.mapped());
    } catch (const std::runtime_error& error) {
        throw damaged_record(where, error.what());
    }
    if (!values.empty())
        throw damaged_record(where, fmt::format("it holds the unknown key '{}'", values.begin()->first));
    if (state.id.empty())
        throw damaged_record(where, "it names no upgrade");
    return state;
}

} // namespace um
