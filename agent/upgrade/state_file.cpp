#include "upgrade/state_file.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace um {
namespace {

std::optional<std::string> read_record(const std::string& path) {
    try {
        return read_file_if_there(path, record_limit);
    } catch (const SystemFailure& failure) {
        throw damaged_record(path, failure.what());
    }
}

bool is_earlier(const State& left, const State& right) {
    return left.started < right.started;
}

} // namespace

std::optional<State> StateFile::load() const {
    const auto text = read_record(path());
    if (!text)
        return std::nullopt;
    return parse_state(*text, path());
}

std::vector<std::string> StateFile::closed_ids() const {
    std::vector<std::string> ids;
    std::error_code error; // ignoring: without the directory, nothing was ever closed
    for (const auto& entry : std::filesystem::directory_iterator(history(), error))
        if (const auto path = entry.path(); path.extension() == ".ini")
            ids.push_back(path.stem().string());
    return ids;
}

std::optional<State> StateFile::closed(const std::string& id) const {
    const auto path = fmt::format("{}/{}.ini", history(), id);
    try {
        const auto text = read_record(path);
        return text ? std::optional(parse_state(*text, path)) : std::nullopt;
    } catch (const Failure& failure) {
        throw Failure(failure.reason(), failure.what(), "move it away; no other upgrade needs it");
    }
}

template <class Take, class Complain>
void StateFile::each_closed(Take take, Complain complain) const {
    for (const auto& id : closed_ids())
        try {
            if (auto record = closed(id))
                take(std::move(*record));
        } catch (const Failure& failure) {
            complain(failure);
        }
}

std::vector<State> StateFile::closed() const {
    std::vector<State> records;
    each_closed([&](State record) { records.push_back(std::move(record)); }, [](const Failure&) {});
    std::sort(records.begin(), records.end(), is_earlier);
    return records;
}

std::vector<Failure> StateFile::not_understood() const {
    std::vector<Failure> failures;
    each_closed([](const State&) {}, [&](const Failure& failure) { failures.push_back(failure); });
    return failures;
}

void StateFile::save(const State& state) const {
    try {
        replace_file(path(), to_ini(state));
    } catch (const SystemFailure&) {
        if (!give_reserve_back())
            throw;
        replace_file(path(), to_ini(state));
    }
}

void StateFile::keep_reserve() const {
    constexpr off_t size = 256L * 1024; // many times a record, its copy in history/, and their directories
    make_directories(directory_, 0700);
    const auto fd = open_file(reserve(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    if (const int error = ::posix_fallocate(fd.get(), 0, size); error != 0)
        throw SystemFailure(fmt::format("allocate '{}'", reserve()), error);
}

bool StateFile::give_reserve_back() const {
    return ::unlink(reserve().c_str()) == 0; // ignoring: otherwise there was none, or nothing can be done
}

std::string StateFile::set_aside(const std::string& suffix) const {
    auto target = fmt::format("{}/damaged-{}", history(), suffix);
    make_directories(history(), 0700);
    rename_durably(path(), target);
    return target;
}

void StateFile::close(const State& state) const {
    give_reserve_back();
    // History first: an auditor would miss a closed record that has no copy there.
    replace_file(fmt::format("{}/{}.ini", history(), state.id), to_ini(state));
    save(state);
}

} // namespace um
