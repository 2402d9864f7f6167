#include "rollback/keep.hpp"

#include "upgrade/snapshot.hpp"
#include "base/termination.hpp"
#include "media/content.hpp"
#include "media/media_name.hpp"
#include "checks/preflight.hpp"
#include "checks/product_logs.hpp"
#include "packages/comparison.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

namespace um {
namespace {

constexpr auto file_format =
    "[%{LONGFILESIZES}|%{FILEMTIMES}|%{FILEFLAGS}|%{FILEDIGESTS}|%{=FILEDIGESTALGO}|%{FILENAMES}\n]";
constexpr unsigned rewritten_flags = 1 | 64; // RPMFILE_CONFIG, RPMFILE_GHOST
constexpr auto sha256_algorithm = "8";       // RFC 4880, 9.4
constexpr std::size_t sha256_digits = 64;
constexpr std::size_t output_limit = 32UL * 1024 * 1024;  // what is kept of a program's output
constexpr double copied_in_a_second = 50.0 * 1024 * 1024; // a modest disk

std::vector<std::string> split(const std::string& line, std::size_t most) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    while (parts.size() + 1 < most) {
        const auto end = line.find('|', begin);
        if (end == std::string::npos)
            break;
        parts.push_back(line.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.push_back(line.substr(begin));
    return parts;
}

template <class Number>
Number number(const std::string& text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value); // what is no number is 0: no file has it
    return value;
}

std::vector<PackagedFile> parse_files(const std::string& text) {
    if (text.size() >= output_limit)
        throw SystemFailure("rpm owns more files than can be kept");
    std::vector<PackagedFile> files;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        const auto parts = split(line, 6);
        if (parts.size() != 6 || parts[5].empty() || parts[5].front() != '/')
            continue; // a package without files
        PackagedFile file{
            parts[5], number<std::uint64_t>(parts[0]), number<std::int64_t>(parts[1]), {}, false};
        file.rewritten = (number<unsigned>(parts[2]) & rewritten_flags) != 0;
        if (parts[4] == sha256_algorithm && parts[3].size() == sha256_digits)
            file.sha256 = parts[3];
        files.push_back(std::move(file));
    }
    return files;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        if (!line.empty() && line.front() == '/')
            lines.push_back(line);
    return lines;
}

std::string database_directory(Appliance& appliance) {
    auto path = appliance.run({"rpm", "--eval", "%{_dbpath}"}, "", std::chrono::minutes(1)).output;
    path.erase(path.find_last_not_of(" \r\n/") + 1);
    if (path.empty() || path.front() != '/')
        throw SystemFailure(fmt::format("rpm says that its database is in '{}'", path));
    return path;
}

/// Every package's files, not only those of packages that the media would replace: what a script installs,
/// and what a scriptlet does, is known afterwards.
KeepScope scope_of(Job& job, const std::string& repository) {
    auto& ports = job.ports;
    KeepScope scope;
    scope.packaged = parse_files(query_installed(ports.appliance, file_format));
    scope.trees = job.config.rollback.protect;
    scope.trees.emplace_back("/etc/systemd/system"); // which units are enabled
    scope.copied = ports.media.matches("/lib/modules/*/modules.*");
    scope.copied.emplace_back("/etc/ld.so.cache");
    scope.databases = {database_directory(ports.appliance)};
    scope.data = job.config.rollback.data;
    scope.excluded = left_out(job);
    scope.logs = {"/var/log"};
    if (!repository.empty())
        if (const auto files = package_files(ports, repository); !files.empty())
            scope.incoming = lines_of(query_files(ports.appliance, files, "[%{FILENAMES}\n]"));
    return scope;
}

/// The product's units that run stand still while `work` copies what they write.
class Quiet {
public:
    explicit Quiet(Job& job) : job_(job) {}

    void around(const std::function<void()>& work) {
        try {
            // Without a survey of this process, those that are named.
            for (const auto& unit :
                 job_.product_units.empty() ? job_.config.verify.units : job_.product_units)
                if (job_.ports.services.status(unit).active == "active")
                    stopped_.push_back(unit);
            for (const auto& unit : stopped_) // should this process be killed
                job_.state.stopped += unit + " ";
            job_.store.save(job_.state);
            for (const auto& unit : stopped_)
                job_.ports.services.stop(unit);
            work();
        } catch (...) { // whoever asked to stop: the product must run again first
            start();
            if (!problem_.empty())
                job_.audit.event(EventKind::warning, job_.state,
                                 {.message = problem_,
                                  .hint = hint,
                                  .stage = job_.state.stage,
                                  .reason = Reason::services_unhealthy});
            throw;
        }
        start();
        if (asked_to_stop_)
            throw Terminated(*asked_to_stop_);
        if (!problem_.empty())
            throw Failure(Reason::services_unhealthy, problem_, hint);
    }

private:
    void start() {
        for (auto unit = stopped_.rbegin(); unit != stopped_.rend(); ++unit)
            for (bool again = true; std::exchange(again, false);)
                try {
                    job_.ports.services.start(*unit);
                } catch (const SystemFailure& failure) {
                    problem_ = failure.what();
                } catch (const Terminated& request) {
                    asked_to_stop_ = request;
                    forget_termination();
                    again = true;
                }
        stopped_.clear();
        job_.state.stopped.clear(); // saved with the next stage: starting what runs does no harm
    }

    static constexpr auto hint = "start it by hand and look at its log";

    Job& job_;
    std::vector<std::string> stopped_;
    std::optional<Terminated> asked_to_stop_; ///< while they were started
    std::string problem_;
};

void warn(Job& job, const std::string& message, const std::string& hint) {
    job.findings.push_back({Finding::Severity::warning, Reason::rollback_unavailable, message, hint});
}

/// A log that grew while it was copied is as whole as any.
void warn_of_torn(Job& job, std::vector<std::string> torn) {
    std::set<std::string> logs;
    for (const auto& log : product_logs(job.ports.appliance, job.config))
        logs.insert(log.path);
    torn.erase(std::remove_if(torn.begin(), torn.end(),
                              [&](const std::string& path) { return logs.count(path) > 0; }),
               torn.end());
    if (!torn.empty())
        warn(job,
             fmt::format("{} was written to while it was copied{}", torn.front(),
                         torn.size() > 1 ? fmt::format(", and {} more", torn.size() - 1) : ""),
             "name it in [rollback] data, then the product stands still for that moment");
}

Failure unavailable(const SystemFailure& why) {
    return {Reason::rollback_unavailable, fmt::format("the way back cannot be kept: {}", why.what()),
            "mend it, or do without: [rollback] mode = off"};
}

std::optional<State> record_of(const Job& job, const std::string& id) {
    return job.state.id == id ? job.state : job.store.closed(id);
}

} // namespace

std::vector<std::string> left_out(const Job& job) {
    const auto directory = directory_of(job.config.log.file);
    const auto name = base_name(directory.substr(0, directory.size() - 1));
    const bool logs = name == "log" || name == "logs";
    return {job.store.directory(), job.config.media.mount_point,
            logs ? directory.substr(0, directory.size() - 1) : job.config.log.file};
}

std::optional<WayBack> probe_way_back(Job& job, const std::string& repository) {
    if (job.config.rollback.mode == RollbackMode::off)
        return std::nullopt;
    job.audit.progress("preflight: looking at what the way back takes");
    auto& appliance = job.ports.appliance;
    const auto begin = appliance.uptime();
    WayBack way_back;
    try {
        job.keep_scope = scope_of(job, repository);
        way_back.cost = job.ports.keeper.cost(*job.keep_scope);
    } catch (const SystemFailure& failure) {
        throw unavailable(failure);
    }
    const auto looked = std::chrono::duration<double>(appliance.uptime() - begin).count();
    for (const auto* roots : {&job.keep_scope->trees, &job.keep_scope->databases, &job.keep_scope->data})
        way_back.trees.insert(way_back.trees.end(), roots->begin(), roots->end());
    way_back.seconds = 2 * looked + static_cast<double>(way_back.cost.bytes) / copied_in_a_second;
    return way_back;
}

void keep_way_back(Job& job) {
    auto& keeper = job.ports.keeper;
    for (const auto& id : keeper.all()) // they lead to before this upgrade: no person takes them any more
        keeper.discard(id, Keeper::Added::go);
    if (job.config.rollback.mode == RollbackMode::off)
        return;
    auto& appliance = job.ports.appliance;
    job.audit.progress("prepare: keeping the way back");
    const auto begin = appliance.uptime();
    KeepCost kept;
    try {
        ensure_rollback_unit(job, Reason::rollback_unavailable);
        Quiet quiet(job);
        if (!job.keep_scope)
            job.keep_scope = scope_of(job, content_of(job.ports, job.config).repository);
        kept = keeper.keep(job.state.id, *job.keep_scope, [&](const auto& work) { quiet.around(work); });
        take_picture(appliance, keeper.directory(job.state.id));
    } catch (const SystemFailure& failure) {
        keeper.discard(job.state.id, Keeper::Added::go);
        throw unavailable(failure);
    } catch (const Failure&) {
        keeper.discard(job.state.id, Keeper::Added::go);
        throw;
    }
    job.state.way_back = true;
    for (const auto& why : kept.unkept)
        warn(job, why, "it is not put back should the upgrade fail");
    warn_of_torn(job, kept.torn);
    const auto took = std::chrono::duration<double>(appliance.uptime() - begin).count();
    job.state.kept = fmt::format("{} links, {} copies, {}", kept.links, kept.copies, human_size(kept.bytes));
    job.note +=
        fmt::format("{}way back kept: {}, {:.1f} s", job.note.empty() ? "" : "; ", job.state.kept, took);
}

void settle_way_back(Job& job, Outcome outcome) {
    auto& state = job.state;
    if (!state.way_back)
        return;
    // What was taken back, and what nothing was changed by, needs none any more.
    state.way_back =
        outcome != Outcome::refused && outcome != Outcome::failed && outcome != Outcome::rolled_back;
    const bool something_stays = state.way_back || outcome == Outcome::rolled_back; // added/
    if (something_stays && (outcome != Outcome::needs_manual || !state.abandoned.empty()))
        state.kept_until = iso8601(job.ports.appliance.now() + job.config.rollback.keep);
}

void expire_ways_back(Job& job) {
    auto& keeper = job.ports.keeper;
    const auto now = iso8601(job.ports.appliance.now());
    for (const auto& id : keeper.all()) {
        std::optional<State> state;
        try {
            state = record_of(job, id);
        } catch (const Failure& failure) { // the next upgrade makes room
            job.audit.output(job.state, fmt::format("{}, ignoring: its way back stays", failure.what()));
            continue;
        }
        // Who is open needs it yet; a person may be about to take it.
        if (state && (state->open() || state->waits_for_a_person()))
            continue;
        const bool in_time = state && state->kept_until > now;
        if (in_time && state->way_back)
            continue;
        const auto complete = keeper.kept();
        const bool was_kept = std::find(complete.begin(), complete.end(), id) != complete.end();
        const bool taken = state && state->outcome == Outcome::rolled_back;
        keeper.discard(id, in_time && taken ? Keeper::Added::stay : Keeper::Added::go);
        if (!state || !was_kept || in_time)
            continue;
        if (job.state.id == id) { // what `status` shows
            job.state.way_back = false;
            job.store.close(job.state);
        }
        job.audit.output(*state,
                         fmt::format("the way back of upgrade {} is over; its space is given back", id));
    }
}

void wake_product(Job& job) {
    std::istringstream units(std::exchange(job.state.stopped, {}));
    for (std::string unit; units >> unit;)
        try {
            job.ports.services.start(unit);
        } catch (const SystemFailure& failure) {
            job.audit.event(
                EventKind::warning, job.state,
                {.message = fmt::format("{}; it was stopped while its data were copied", failure.what()),
                 .hint = fmt::format("look at 'systemctl status {}'", unit),
                 .stage = job.state.stage,
                 .reason = Reason::services_unhealthy});
        }
}

} // namespace um
