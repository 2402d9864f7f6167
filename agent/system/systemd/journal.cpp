#define SD_JOURNAL_SUPPRESS_LOCATION
#include "system/systemd/journal.hpp"

#include "base/failure.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fnmatch.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

namespace um {
namespace {

int expect(int result, const char* what) {
    if (result < 0)
        throw SystemFailure(what, -result);
    return result;
}

/// Empty if the entry has no such field, or a damaged one.
std::string field(sd_journal* journal, const char* name) {
    const void* data = nullptr;
    std::size_t size = 0;
    if (sd_journal_get_data(journal, name, &data, &size) < 0)
        return {};
    const std::string_view whole(static_cast<const char*>(data), size);
    return std::string(whole.substr(whole.find('=') + 1));
}

} // namespace

void SystemdJournal::entry(const Fields& fields) noexcept {
    try {
        std::vector<std::string> texts;
        for (const auto& [name, value] : fields)
            texts.emplace_back(name).append("=").append(value);
        std::vector<iovec> parts;
        parts.reserve(texts.size());
        for (auto& text : texts)
            parts.push_back({text.data(), text.size()});
        if (const int result = sd_journal_sendv(parts.data(), static_cast<int>(parts.size())); result < 0)
            std::fprintf(stderr, "write to the journal: %s, ignoring: the upgrade matters more\n",
                         std::strerror(-result));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "write to the journal: %s, ignoring: the upgrade matters more\n", error.what());
    }
}

std::optional<std::string> SystemdJournal::find_in_this_boot(const std::string& text,
                                                             const std::vector<std::string>& units) {
    sd_journal* opened = nullptr;
    expect(sd_journal_open(&opened, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM), "open the journal");
    const Handle<sd_journal, sd_journal_close> journal(opened);
    sd_id128_t boot{};
    expect(sd_id128_get_boot(&boot), "read the boot's id");
    std::array<char, SD_ID128_STRING_MAX> id{};
    const auto match = std::string("_BOOT_ID=") + sd_id128_to_string(boot, id.data());
    expect(sd_journal_add_match(journal.get(), match.data(), match.size()), "search the journal");
    while (expect(sd_journal_next(journal.get()), "read the journal") > 0) {
        const auto message = field(journal.get(), "MESSAGE");
        if (message.find(text) == std::string::npos)
            continue;
        const auto unit = field(journal.get(), "_SYSTEMD_UNIT"); // set by journald, so no sender can forge it
        if (std::any_of(units.begin(), units.end(), [&](const std::string& pattern) {
                return ::fnmatch(pattern.c_str(), unit.c_str(), FNM_NOESCAPE) == 0;
            }))
            return fmt::format("{}: {}", unit, message);
    }
    return std::nullopt;
}

void SystemdJournal::status(const std::string& text) noexcept {
    try {
        if (text == last_status_)
            return;
        last_status_ = text;
        auto message = "STATUS=" + text;
        for (auto& c : message)
            if (c == '\n')
                c = ' ';               // a line feed would begin another assignment
        sd_notify(0, message.c_str()); // ignoring: no service manager listens, or it shows the older text
    } catch (const std::bad_alloc&) {
        std::fputs("no memory for a status line, ignoring\n", stderr);
    }
}

} // namespace um
