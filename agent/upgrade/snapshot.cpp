#include "upgrade/snapshot.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/ini.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>

namespace um {
namespace {

using Clock = std::chrono::system_clock;

std::optional<Clock::time_point> time_from(const std::string& text) {
    std::int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return Clock::time_point(std::chrono::seconds(value));
}

/// Control characters and ';' become spaces, because INI would read them differently.
std::string one_line(std::string text) {
    for (auto& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == ';')
            c = ' ';
    return cut(std::move(text), 150);
}

} // namespace

SnapshotConfirmation save_confirmation(const std::string& path, SnapshotConfirmation confirmation) {
    for (auto* text : {&confirmation.name, &confirmation.by, &confirmation.version})
        *text = one_line(std::move(*text));
    replace_file(
        path, fmt::format("# Kept by um-upgrade confirm-snapshot; times in seconds since 1970.\n"
                          "[snapshot]\nname = {}\nby = {}\nversion = {}\nconfirmed = {}\nvalid_until = {}\n",
                          confirmation.name, confirmation.by, confirmation.version,
                          unix_seconds(confirmation.confirmed), unix_seconds(confirmation.valid_until)));
    return confirmation;
}

std::optional<SnapshotConfirmation> load_confirmation(const std::string& path) {
    const auto text = read_file_if_there(path, record_limit);
    if (!text)
        return std::nullopt;
    const Failure damaged(Reason::snapshot_unconfirmed, fmt::format("{} cannot be understood", path),
                          "confirm the snapshot again with 'um-upgrade confirm-snapshot --name TEXT'");
    std::map<std::string, std::string> values;
    try {
        for (const auto& entry : parse_ini(*text))
            values[entry.name] = entry.value;
    } catch (const IniError&) {
        throw damaged;
    }
    const auto confirmed = time_from(values["confirmed"]);
    const auto valid_until = time_from(values["valid_until"]);
    if (!confirmed || !valid_until)
        throw damaged;
    return SnapshotConfirmation{values["name"], values["by"], values["version"], *confirmed, *valid_until};
}

std::optional<SnapshotConfirmation> parse_guestinfo(const std::string& text, Clock::time_point now) {
    std::map<std::string, std::string> values;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find_first_of(";\n", begin), text.size());
        const auto part = text.substr(begin, end - begin);
        begin = end + 1;
        const auto equals = std::min(part.find('='), part.size());
        values[trimmed(part.substr(0, equals))] = trimmed(part.substr(std::min(equals + 1, part.size())));
    }
    std::tm parts{};
    const auto until = values["valid-until"];
    const auto* const end = ::strptime(until.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    if (values["name"].empty() || values["version"].empty() || end == nullptr || *end != '\0')
        return std::nullopt;
    return SnapshotConfirmation{one_line(values["name"]), "the hypervisor", one_line(values["version"]), now,
                                Clock::from_time_t(::timegm(&parts))};
}

} // namespace um
