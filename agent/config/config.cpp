#include "config/config.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/guarded_path.hpp"
#include "base/ini.hpp"
#include "base/pattern.hpp"
#include "config/values.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string_view>

namespace um {

using namespace values;

namespace {

constexpr auto shipped_file = "/usr/lib/um-upgrade/um-upgrade.conf";
constexpr auto operators_file = "/etc/um-upgrade/um-upgrade.conf";
constexpr auto drop_in_directory = "/etc/um-upgrade/um-upgrade.conf.d";

Policy policy(const std::string& text) {
    return choice<Policy>(text, {{"accept", Policy::accept}, {"refuse", Policy::refuse}});
}

struct Key {
    std::string_view section;
    std::string_view name;
    void (*set)(Config& config, const std::string& text);
};

constexpr Key keys[] = {
    {"media", "search", [](Config& c, const std::string& text) { c.media.search = patterns(text); }},
    {"media", "mount_point",
     [](Config& c, const std::string& text) { c.media.mount_point = plain_path(text); }},
    {"trust", "require",
     [](Config& c, const std::string& text) {
         c.trust.require =
             choice<Require>(text, {{"signature", Require::signature}, {"digest", Require::digest}});
     }},
    {"trust", "anchors",
     [](Config& c, const std::string& text) { c.trust.anchors = text == "system" ? text : absolute(text); }},
    {"trust", "signer", [](Config& c, const std::string& text) { c.trust.signers = signers(text); }},
    {"trust", "sha1", [](Config& c, const std::string& text) { c.trust.sha1 = policy(text); }},
    {"trust", "expired", [](Config& c, const std::string& text) { c.trust.expired = policy(text); }},
    {"trust", "crl",
     [](Config& c, const std::string& text) { c.trust.crl = text.empty() ? text : absolute(text); }},
    {"product", "name", [](Config& c, const std::string& text) { c.product.name = file_name(text); }},
    {"product", "version_command",
     [](Config& c, const std::string& text) { c.product.version_command = some_words(text); }},
    {"product", "minimum_source",
     [](Config& c, const std::string& text) { c.product.minimum_source = some_text(text); }},
    {"snapshot", "confirmation",
     [](Config& c, const std::string& text) {
         c.snapshot.confirmation = choice<Confirmation>(
             text, {{"required", Confirmation::required}, {"assume", Confirmation::assume}});
     }},
    {"hostname", "mismatch",
     [](Config& c, const std::string& text) {
         c.hostname.mismatch =
             choice<Mismatch>(text, {{"refuse", Mismatch::refuse}, {"warn", Mismatch::warn}});
     }},
    {"hostname", "certificate",
     [](Config& c, const std::string& text) { c.hostname.certificate = certificate_source(text); }},
    {"sshd", "manage",
     [](Config& c, const std::string& text) {
         c.sshd.manage = choice<bool>(text, {{"yes", true}, {"no", false}});
     }},
    {"sshd", "unit", [](Config& c, const std::string& text) { c.sshd.unit = unit_name(text); }},
    {"apply", "method",
     [](Config& c, const std::string& text) {
         c.apply.method = choice<Method>(
             text, {{"auto", Method::automatic}, {"script", Method::script}, {"packages", Method::packages}});
     }},
    {"apply", "script", [](Config& c, const std::string& text) { c.apply.script = file_name(text); }},
    {"apply", "stall_timeout",
     [](Config& c, const std::string& text) { c.apply.stall_timeout = pause_of_work(text); }},
    {"apply", "interrupted",
     [](Config& c, const std::string& text) {
         c.apply.interrupted = choice<OnInterruption>(
             text, {{"resume", OnInterruption::resume}, {"stop", OnInterruption::stop}});
     }},
    {"reboot", "policy",
     [](Config& c, const std::string& text) {
         c.reboot.policy = choice<RebootPolicy>(text, {{"now", RebootPolicy::now},
                                                       {"notice", RebootPolicy::notice},
                                                       {"manual", RebootPolicy::manual}});
     }},
    {"reboot", "notice", [](Config& c, const std::string& text) { c.reboot.notice = duration(text); }},
    {"verify", "units", [](Config& c, const std::string& text) { c.verify.units = unit_names(text); }},
    {"verify", "status_command",
     [](Config& c, const std::string& text) { c.verify.status_command = absolute(text); }},
    {"verify", "run_as", [](Config& c, const std::string& text) { c.verify.run_as = some_text(text); }},
    {"verify", "deadline", [](Config& c, const std::string& text) { c.verify.deadline = duration(text); }},
    {"rollback", "mode",
     [](Config& c, const std::string& text) {
         c.rollback.mode = choice<RollbackMode>(
             text,
             {{"auto", RollbackMode::automatic}, {"offer", RollbackMode::offer}, {"off", RollbackMode::off}});
     }},
    {"rollback", "protect", [](Config& c, const std::string& text) { c.rollback.protect = trees(text); }},
    {"rollback", "data", [](Config& c, const std::string& text) { c.rollback.data = trees(text); }},
    {"rollback", "keep", [](Config& c, const std::string& text) { c.rollback.keep = duration(text); }},
    {"log", "file", [](Config& c, const std::string& text) { c.log.file = absolute(text); }},
};

struct PromptKey {
    std::string_view name;
    void (*set)(PromptRule& rule, const std::string& text);
};

constexpr PromptKey prompt_keys[] = {
    {"match",
     [](PromptRule& rule, const std::string& text) {
         try {
             Pattern{some_text(text)};
         } catch (const std::invalid_argument& error) {
             throw InvalidValue(fmt::format("an extended regular expression ({})", error.what()));
         }
         rule.match = text;
     }},
    {"answer", [](PromptRule& rule, const std::string& text) { rule.answer = text; }},
};

/// What the operator may write instead, separated by spaces.
template <class Range, class Name>
std::string known(const Range& range, Name name_of) {
    std::string names;
    std::string last;
    for (const auto& key : range)
        if (const std::string name(name_of(key)); !name.empty() && name != last)
            names += (names.empty() ? "" : " ") + (last = name);
    return names;
}

PromptRule& prompt_rule(Config& config, const std::string& name) {
    const auto found = std::find_if(config.prompts.begin(), config.prompts.end(),
                                    [&](const PromptRule& rule) { return rule.name == name; });
    return found != config.prompts.end() ? *found : config.prompts.emplace_back(PromptRule{name, {}, {}});
}

template <class Range>
const auto& find_key(const Range& range, const IniEntry& entry, const std::string& known_names) {
    for (const auto& key : range)
        if (key.name == entry.name)
            return key;
    throw InvalidValue(
        fmt::format("unknown key '{}' in [{}]; known are: {}", entry.name, entry.section, known_names));
}

void set_entry(Config& config, const IniEntry& entry) {
    constexpr std::string_view prompt = "prompt.";
    const auto wrong = [&](const InvalidValue& right) {
        return InvalidValue(
            fmt::format("'{} = {}' is wrong; right would be {}", entry.name, entry.value, right.what()));
    };
    if (entry.section.rfind(prompt, 0) == 0 && entry.section.size() > prompt.size()) {
        const auto& key =
            find_key(prompt_keys, entry, known(prompt_keys, [](const PromptKey& k) { return k.name; }));
        try {
            return key.set(prompt_rule(config, entry.section.substr(prompt.size())), entry.value);
        } catch (const InvalidValue& right) {
            throw wrong(right);
        }
    }
    if (entry.section.empty())
        throw InvalidValue(fmt::format("'{}' appears before the first [section]", entry.name));
    std::vector<Key> section;
    std::copy_if(std::begin(keys), std::end(keys), std::back_inserter(section),
                 [&](const Key& key) { return key.section == entry.section; });
    if (section.empty())
        throw InvalidValue(fmt::format("unknown section [{}]; known are: {} prompt.X", entry.section,
                                       known(keys, [](const Key& key) { return key.section; })));
    const auto& key = find_key(section, entry, known(section, [](const Key& k) { return k.name; }));
    try {
        key.set(config, entry.value);
    } catch (const InvalidValue& right) {
        throw wrong(right);
    }
}

/// `where`: the files that were read, for the message. Throws ConfigError.
void check_as_a_whole(const Config& config, const std::string& where) {
    if (config.trust.anchors == "system" && config.trust.signers.empty())
        throw ConfigError(fmt::format("{}: [trust] anchors = system trusts every public authority; name the "
                                      "allowed 'signer' beside it",
                                      where));
    for (const auto& rule : config.prompts)
        if (rule.match.empty())
            throw ConfigError(fmt::format("{}: [prompt.{}] has no 'match'", where, rule.name));
}

} // namespace

void merge_config(Config& config, const std::string& text, const std::string& file) {
    try {
        std::set<std::pair<std::string, std::string>> seen;
        for (const auto& entry : parse_ini(text)) {
            try {
                if (!seen.emplace(entry.section, entry.name).second)
                    throw InvalidValue(
                        fmt::format("'{}' appears twice in [{}]; keep one", entry.name, entry.section));
                set_entry(config, entry);
            } catch (const InvalidValue& error) {
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
            // Write access to this file decides which certificates the agent trusts.
            const auto fd = open_guarded(file, Links::follow);
            if (fd)
                merge_config(config, read_all(fd.get(), record_limit, file), file);
            return static_cast<bool>(fd);
        } catch (const Unguarded& error) {
            throw ConfigError(fmt::format("{}; {}", error.what(), error.hint()));
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
    check_as_a_whole(config,
                     only.empty() ? fmt::format("{} and {}", operators_file, drop_in_directory) : only);
    return config;
}

} // namespace um
