#include "config.hpp"

#include "failure.hpp"
#include "ini.hpp"
#include "system/file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string_view>

namespace um {
namespace {

constexpr auto shipped_file = "/usr/lib/um-upgrade/um-upgrade.conf";
constexpr auto operators_file = "/etc/um-upgrade/um-upgrade.conf";
constexpr auto drop_in_directory = "/etc/um-upgrade/um-upgrade.conf.d";

/// What a setter throws: what would be right. The reader adds file and line.
using Wrong = std::invalid_argument;

/// Words parted by spaces; "double quotes" keep spaces in a word.
std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> result;
    std::string current;
    bool in_word = false;
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
            in_word = true;
        } else if (!quoted && (c == ' ' || c == '\t')) {
            if (in_word)
                result.push_back(std::exchange(current, {}));
            in_word = false;
        } else {
            current += c;
            in_word = true;
        }
    }
    if (quoted)
        throw Wrong("a closing '\"'");
    if (in_word)
        result.push_back(current);
    return result;
}

std::string absolute(const std::string& text) {
    if (text.empty() || text.front() != '/')
        throw Wrong("a path that begins with '/'");
    return text;
}

std::string some_text(const std::string& text) {
    if (text.empty())
        throw Wrong("some text");
    return text;
}

std::vector<std::string> some_words(const std::string& text) {
    auto result = words(text);
    if (result.empty())
        throw Wrong("at least one word");
    return result;
}

template <class Enum>
std::function<Enum(const std::string&)> choice(std::map<std::string, Enum> choices) {
    return [choices = std::move(choices)](const std::string& text) {
        if (const auto found = choices.find(text); found != choices.end())
            return found->second;
        std::string names;
        for (const auto& [name, value] : choices)
            names += (names.empty() ? "" : " or ") + fmt::format("'{}'", name);
        throw Wrong(names);
    };
}

std::chrono::seconds duration(const std::string& text) {
    std::uint32_t count = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    static const std::map<std::string_view, std::int64_t> units{
        {"s", 1}, {"", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    const auto found = units.find(unit);
    if (parsed.ec != std::errc{} || found == units.end() || count == 0)
        throw Wrong("a time such as 30s, 10min, 24h or 7d");
    return std::chrono::seconds(count * found->second);
}

std::string unit_name(const std::string& text) {
    const auto dot = text.rfind('.');
    if (dot == std::string::npos || dot == 0 || text.find('/') != std::string::npos)
        throw Wrong("a unit's full name, such as sshd.service");
    return text;
}

std::string file_name(const std::string& text) {
    if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos)
        throw Wrong("a file name without directories");
    return text;
}

using Setter = std::function<void(Config&, const std::string&)>;

template <class Section, class Value, class Parse>
Setter set(Section Config::*section, Value Section::*member, Parse parse) {
    return [=](Config& config, const std::string& text) { config.*section.*member = parse(text); };
}

const auto any = [](const std::string& text) { return text; };

std::vector<std::string> unit_names(const std::string& text) {
    auto result = words(text);
    for (const auto& name : result)
        unit_name(name);
    return result;
}

std::vector<std::string> patterns(const std::string& text) {
    auto result = some_words(text);
    for (const auto& pattern : result)
        absolute(pattern);
    return result;
}

const std::map<std::string, std::map<std::string, Setter>>& keys() {
    using C = Config;
    static const std::map<std::string, Policy> policies{{"accept", Policy::accept},
                                                        {"refuse", Policy::refuse}};
    static const std::map<std::string, std::map<std::string, Setter>> table{
        {"media",
         {{"search", set(&C::media, &C::Media::search, patterns)},
          {"mount_point", set(&C::media, &C::Media::mount_point, absolute)}}},
        {"trust",
         {{"require", set(&C::trust, &C::Trust::require,
                          choice<Require>({{"signature", Require::signature}, {"digest", Require::digest}}))},
          {"anchors", set(&C::trust, &C::Trust::anchors,
                          [](const std::string& text) { return text == "system" ? text : absolute(text); })},
          {"signer", set(&C::trust, &C::Trust::signer, any)},
          {"sha1", set(&C::trust, &C::Trust::sha1, choice<Policy>(policies))},
          {"expired", set(&C::trust, &C::Trust::expired, choice<Policy>(policies))},
          {"crl", set(&C::trust, &C::Trust::crl,
                      [](const std::string& text) { return text.empty() ? text : absolute(text); })}}},
        {"product",
         {{"name", set(&C::product, &C::Product::name, file_name)},
          {"version_command", set(&C::product, &C::Product::version_command, some_words)},
          {"minimum_source", set(&C::product, &C::Product::minimum_source, some_text)}}},
        {"snapshot",
         {{"confirmation", set(&C::snapshot, &C::Snapshot::confirmation,
                               choice<Confirmation>({{"required", Confirmation::required},
                                                     {"assume", Confirmation::assume}}))}}},
        {"sshd",
         {{"manage", set(&C::sshd, &C::Sshd::manage, choice<bool>({{"yes", true}, {"no", false}}))},
          {"unit", set(&C::sshd, &C::Sshd::unit, unit_name)}}},
        {"apply",
         {{"script", set(&C::apply, &C::Apply::script, file_name)},
          {"stall_timeout", set(&C::apply, &C::Apply::stall_timeout, duration)},
          {"interrupted", set(&C::apply, &C::Apply::interrupted,
                              choice<OnInterruption>(
                                  {{"resume", OnInterruption::resume}, {"stop", OnInterruption::stop}}))}}},
        {"reboot",
         {{"policy", set(&C::reboot, &C::Reboot::policy,
                         choice<RebootPolicy>({{"now", RebootPolicy::now},
                                               {"notice", RebootPolicy::notice},
                                               {"manual", RebootPolicy::manual}}))},
          {"notice", set(&C::reboot, &C::Reboot::notice, duration)}}},
        {"verify",
         {{"units", set(&C::verify, &C::Verify::units, unit_names)},
          {"status_command", set(&C::verify, &C::Verify::status_command, absolute)},
          {"run_as", set(&C::verify, &C::Verify::run_as, some_text)},
          {"deadline", set(&C::verify, &C::Verify::deadline, duration)}}},
        {"log", {{"file", set(&C::log, &C::Log::file, absolute)}}},
    };
    return table;
}

template <class Map>
std::string names_of(const Map& map) {
    std::string names;
    for (const auto& [name, value] : map)
        names += (names.empty() ? "" : " ") + name;
    return names;
}

const std::map<std::string, std::function<void(PromptRule&, const std::string&)>>& prompt_keys() {
    static const std::map<std::string, std::function<void(PromptRule&, const std::string&)>> table{
        {"match",
         [](PromptRule& rule, const std::string& text) {
             try {
                 std::regex{some_text(text)};
             } catch (const std::regex_error&) {
                 throw Wrong("a regular expression (ECMAScript)");
             }
             rule.match = text;
         }},
        {"answer", [](PromptRule& rule, const std::string& text) { rule.answer = text; }},
    };
    return table;
}

PromptRule& prompt_rule(Config& config, const std::string& name) {
    const auto found = std::find_if(config.prompts.begin(), config.prompts.end(),
                                    [&](const PromptRule& rule) { return rule.name == name; });
    return found != config.prompts.end() ? *found : config.prompts.emplace_back(PromptRule{name, {}, {}});
}

void set_entry(Config& config, const IniEntry& entry) {
    constexpr std::string_view prompt = "prompt.";
    const auto unknown_key = [&](const std::string& names) {
        return Wrong(
            fmt::format("unknown key '{}' in [{}]; known are: {}", entry.name, entry.section, names));
    };
    if (entry.section.rfind(prompt, 0) == 0 && entry.section.size() > prompt.size()) {
        const auto key = prompt_keys().find(entry.name);
        if (key == prompt_keys().end())
            throw unknown_key(names_of(prompt_keys()));
        return key->second(prompt_rule(config, entry.section.substr(prompt.size())), entry.value);
    }
    const auto section = keys().find(entry.section);
    if (section == keys().end())
        throw Wrong(
            fmt::format("unknown section [{}]; known are: {} prompt.X", entry.section, names_of(keys())));
    const auto key = section->second.find(entry.name);
    if (key == section->second.end())
        throw unknown_key(names_of(section->second));
    try {
        key->second(config, entry.value);
    } catch (const Wrong& right) {
        throw Wrong(
            fmt::format("'{} = {}' is wrong; right would be {}", entry.name, entry.value, right.what()));
    }
}

void check_as_a_whole(const Config& config) {
    if (config.trust.anchors == "system" && config.trust.signer.empty())
        throw ConfigError(
            "[trust] anchors = system trusts every public authority; name the allowed 'signer' beside it");
    for (const auto& rule : config.prompts)
        if (rule.match.empty())
            throw ConfigError(fmt::format("[prompt.{}] has no 'match'", rule.name));
}

} // namespace

void merge_config(Config& config, const std::string& text, const std::string& file) {
    try {
        std::set<std::pair<std::string, std::string>> seen;
        for (const auto& entry : parse_ini(text)) {
            try {
                if (!seen.emplace(entry.section, entry.name).second)
                    throw Wrong(
                        fmt::format("'{}' stands twice in [{}]; keep one", entry.name, entry.section));
                set_entry(config, entry);
            } catch (const Wrong& error) {
                throw IniError(entry.line, error.what());
            }
        }
    } catch (const IniError& error) {
        throw ConfigError(fmt::format("{}:{}: {}", file, error.line(), error.what()));
    }
}

Config load_config(const std::string& only) {
    Config config;
    const auto merge_file = [&](const std::string& file) {
        try {
            const auto text = read_file_if_there(file, record_limit);
            if (text)
                merge_config(config, *text, file);
            return text.has_value();
        } catch (const SystemFailure& error) {
            throw ConfigError(error.what());
        }
    };
    merge_file(shipped_file);
    if (!only.empty()) {
        if (!merge_file(only))
            throw ConfigError(fmt::format("{}: there is no such file", only));
    } else {
        merge_file(operators_file);
        std::vector<std::string> drop_ins;
        std::error_code error; // a missing directory means no drop-ins
        for (const auto& entry : std::filesystem::directory_iterator(drop_in_directory, error))
            if (entry.path().extension() == ".conf")
                drop_ins.push_back(entry.path().string());
        std::sort(drop_ins.begin(), drop_ins.end());
        for (const auto& file : drop_ins)
            merge_file(file);
    }
    check_as_a_whole(config);
    return config;
}

} // namespace um
