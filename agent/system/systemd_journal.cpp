#define SD_JOURNAL_SUPPRESS_LOCATION
#include "system/systemd_journal.hpp"

#include <cstdio>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>

namespace um {

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

void SystemdJournal::status(const std::string& text) noexcept {
    try {
        if (text == last_status_)
            return;
        last_status_ = text;
        auto message = "STATUS=" + text;
        for (auto& c : message)
            if (c == '\n')
                c = ' ';               // a line feed would begin another assignment
        sd_notify(0, message.c_str()); // 0: no service manager listens; an error: it shows the older text
    } catch (const std::bad_alloc&) {
        std::fputs("no memory for a status line, ignoring\n", stderr);
    }
}

} // namespace um
