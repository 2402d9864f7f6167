#include "config.hpp"

#include "failure.hpp"
#include "ini.hpp"
#include "system/file.hpp"
#include "system/guarded_path.hpp"
#include "upgrade/pattern.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
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

std::string plain_path(const std::string& text) {
    auto path = std::filesystem::path(absolute(text)).lexically_normal().string();
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    return path;
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
struct Choice {
    std::string_view name;
    Enum value;
};

template <class Enum, std::size_t N>
Enum choice(const std::string& text, const Choice<Enum> (&choices)[N]) {
    std::string names;
    for (const auto& [name, value] : choices) {
        if (text == name)
            return value;
        names += fmt::format("{}'{}'", names.empty() ? "" : " or ", name);
    }
    throw Wrong(names);
}

Policy policy(const std::string& text) {
    return choice<Policy>(text, {{"accept", Policy::accept}, {"refuse", Policy::refuse}});
}

std::chrono::seconds duration(const std::string& text) {
    std::uint32_t count = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    const std::string_view unit(parsed.ptr, static_cast<std::size_t>(end - parsed.ptr));
    constexpr std::pair<std::string_view, std::int64_t> units[] = {
        {"s", 1}, {"", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
    for (const auto& [name, seconds] : units)
        if (parsed.ec == std::errc{} && name == unit && count > 0)
            return std::chrono::seconds(count * seconds);
    throw Wrong("a time such as 30s, 10min, 24h or 7d");
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

/// Subjects hold blanks and commas: alternatives are parted by '|'.
std::vector<std::string> signers(const std::string& text) {
    constexpr std::string_view prefix = "sha256:";
    constexpr std::string_view digits = "0123456789abcdefABCDEF";
    std::vector<std::string> result;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('|', begin), text.size());
        auto one = text.substr(begin, end - begin);
        begin = end + 1;
        one.erase(0, one.find_first_not_of(" \t"));
        one.erase(one.find_last_not_of(" \t") + 1);
        if (one.empty() && !text.empty())
            throw Wrong("signers parted by single '|'");
        const auto is_digit = [&](char c) { return digits.find(c) != std::string_view::npos; };
        if (one.rfind(prefix, 0) == 0 &&
            (std::count_if(one.begin() + prefix.size(), one.end(), is_digit) != 64 ||
             one.find_first_not_of("0123456789abcdefABCDEF:", prefix.size()) != std::string::npos))
            throw Wrong("'sha256:' and the 64 hexadecimal digits of a fingerprint");
        if (!one.empty())
            result.push_back(std::move(one));
    }
    return result;
}

std::string certificate_source(const std::string& text) {
    constexpr std::string_view scheme = "tls://";
    if (text.rfind(scheme, 0) != 0)
        return absolute(text);
    const auto colon = text.rfind(':');
    unsigned port = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + colon + 1, end, port);
    if (colon <= scheme.size() || parsed.ec != std::errc{} || parsed.ptr != end || port == 0 || port > 65535)
        throw Wrong("tls://HOST:PORT, or the path of a PEM file");
    return text;
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
     [](Config& c, const std::string& text) { c.apply.stall_timeout = duration(text); }},
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
             throw Wrong(fmt::format("an extended regular expression ({})", error.what()));
         }
         rule.match = text;
     }},
    {"answer", [](PromptRule& rule, const std::string& text) { rule.answer = text; }},
};

/// What the operator may write instead, parted by blanks.
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
    throw Wrong(
        fmt::format("unknown key '{}' in [{}]; known are: {}", entry.name, entry.section, known_names));
}

void set_entry(Config& config, const IniEntry& entry) {
    constexpr std::string_view prompt = "prompt.";
    const auto wrong = [&](const Wrong& right) {
        return Wrong(
            fmt::format("'{} = {}' is wrong; right would be {}", entry.name, entry.value, right.what()));
    };
    if (entry.section.rfind(prompt, 0) == 0 && entry.section.size() > prompt.size()) {
        const auto& key =
            find_key(prompt_keys, entry, known(prompt_keys, [](const PromptKey& k) { return k.name; }));
        try {
            return key.set(prompt_rule(config, entry.section.substr(prompt.size())), entry.value);
        } catch (const Wrong& right) {
            throw wrong(right);
        }
    }
    std::vector<Key> section;
    std::copy_if(std::begin(keys), std::end(keys), std::back_inserter(section),
                 [&](const Key& key) { return key.section == entry.section; });
    if (section.empty())
        throw Wrong(fmt::format("unknown section [{}]; known are: {} prompt.X", entry.section,
                                known(keys, [](const Key& key) { return key.section; })));
    const auto& key = find_key(section, entry, known(section, [](const Key& k) { return k.name; }));
    try {
        key.set(config, entry.value);
    } catch (const Wrong& right) {
        throw wrong(right);
    }
}

void check_as_a_whole(const Config& config) {
    if (config.trust.anchors == "system" && config.trust.signers.empty())
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
            // Whoever may change it decides whom the agent trusts.
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
    check_as_a_whole(config);
    return config;
}

} // namespace um
