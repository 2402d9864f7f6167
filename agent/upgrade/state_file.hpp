#pragma once
// The records on disk: state.ini for the last upgrade, history/ for closed ones.

#include "upgrade/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// Keeps the record on disk: temporary file, fsync, rename, fsync of the directory.
class StateFile {
public:
    /// `directory`: /var/lib/um-upgrade; it holds state.ini and history/.
    explicit StateFile(std::string directory) : directory_(std::move(directory)) {}

    /// Nothing where there is no record. Throws Failure (state.damaged, state.unknown-format): a damaged
    /// record is a refusal, never "idle".
    std::optional<State> load() const;
    /// Durable when it returns. Throws SystemFailure.
    void save(const State& state) const;
    /// The closed records that can be understood, the oldest first: one that is damaged hides no other.
    std::vector<State> closed() const;
    /// What is wrong with the others.
    std::vector<Failure> not_understood() const;
    /// The closed record of one upgrade; nothing where there is none. Throws Failure like load().
    std::optional<State> closed(const std::string& id) const;
    /// Puts a record that cannot be understood under history/, out of the way. Returns its new path.
    std::string set_aside(const std::string& suffix) const;
    /// Saves the closed record and files a copy of it under history/.
    void close(const State& state) const;
    /// Keeps some room of the disk, so that the record can be saved even when a change has filled it; close()
    /// gives it back. Throws SystemFailure.
    void keep_reserve() const;

    const std::string& directory() const { return directory_; }
    std::string path() const { return directory_ + "/state.ini"; }
    std::string history() const { return directory_ + "/history"; }

private:
    std::vector<std::string> closed_ids() const;
    template <class Take, class Complain>
    void each_closed(Take take, Complain complain) const;
    bool give_reserve_back() const;
    std::string reserve() const { return directory_ + "/reserve"; }

    std::string directory_;
};

} // namespace um
