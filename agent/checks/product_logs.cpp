#include "checks/product_logs.hpp"

#include "base/file.hpp"
#include "base/path.hpp"
#include "base/time.hpp"
#include "checks/product.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace um {
namespace {

/// Bytes: more than a product writes between two boots. Only the end of a longer log is searched.
constexpr std::uint64_t search_limit = 64UL * 1024 * 1024;

/// What mark_logs() found.
struct Marks {
    std::int64_t time = 0; ///< seconds since 1970
    bool held = false;     ///< the error was in one of the logs
    std::map<std::string, std::uint64_t> sizes;
};

/// "TIME HELD", then "DEVICE:INODE SIZE" for each file, because a log that is rotated keeps its inode.
Marks read_marks(const std::string& text) {
    Marks marks;
    std::istringstream stream(text);
    stream >> marks.time >> marks.held;
    std::string id;
    std::uint64_t size = 0;
    while (stream >> id >> size)
        marks.sizes[id] = size;
    return marks;
}

bool holds_error(Appliance& appliance, const LogFile& log, std::uint64_t from) {
    const auto begin = log.size > search_limit ? log.size - search_limit : 0;
    return appliance.file_holds(log.path, std::max(from, begin), log.size, journal_error);
}

bool is_new_error(Appliance& appliance, const Marks& marks, const LogFile& log) {
    if (const auto mark = marks.sizes.find(log.id); mark != marks.sizes.end())
        return holds_error(appliance, log, mark->second <= log.size ? mark->second : 0); // 0: truncated
    // A new file may be a copy of an older log, made by rotation or a migration, and then has no new errors.
    return !marks.held && unix_seconds(log.modified) >= marks.time && holds_error(appliance, log, 0);
}

bool is_journal(const std::string& path) {
    return path.find(".journal") != std::string::npos; // searched by itself, and it contains our own messages
}

} // namespace

std::vector<LogFile> product_logs(Appliance& appliance, const Config& config) {
    const std::set<std::string> directories{directory_of(config.log.file),
                                            std::string(product_directory) + "/var/"};
    std::vector<LogFile> logs;
    for (const auto& directory : directories)
        for (auto& file : appliance.files_below(directory))
            if (file.path != config.log.file && !is_journal(file.path))
                logs.push_back(std::move(file));
    return logs;
}

void mark_logs(Appliance& appliance, const Config& config, const std::string& path) {
    const auto logs = product_logs(appliance, config);
    const bool held = std::any_of(logs.begin(), logs.end(),
                                  [&](const LogFile& log) { return holds_error(appliance, log, 0); });
    auto text = fmt::format("{} {}\n", unix_seconds(appliance.now()), held ? 1 : 0);
    for (const auto& log : logs)
        text += fmt::format("{} {}\n", log.id, log.size);
    if (text.size() <= record_limit)
        replace_file(path, text);
}

std::optional<std::string> find_journal_error(Ports& ports, const Config& config, const std::string& path) {
    // Only the product's units count, because whoever greps for the error puts it into the journal, too.
    std::vector<std::string> units{"vmware-*"};
    for (const auto& unit : config.verify.units)
        units.push_back(ports.services.own_name(unit));
    if (auto found = ports.journal.find_in_this_boot(journal_error, units))
        return found;
    const auto text = read_file_if_there(path, record_limit);
    if (!text)
        return std::nullopt;
    const auto marks = read_marks(*text);
    for (const auto& log : product_logs(ports.appliance, config))
        if (is_new_error(ports.appliance, marks, log))
            return log.path;
    return std::nullopt;
}

} // namespace um
