#pragma once
// The records on disk: state.ini is the last upgrade, and history/ has the closed ones.

#include "upgrade/state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace um {

/// Keeps the record on disk, with replace_file(): temporary file, fsync, rename, fsync of the directory.
class StateFile {
public:
    /// `directory`: /var/lib/um-upgrade, which contains state.ini and history/.
    explicit StateFile(std::string directory) : directory_(std::move(directory)) {}

    /// Nothing when there is no record. Throws Failure (state.damaged, state.unknown-format), because a
    /// damaged record is a refusal and never means "idle".
    std::optional<State> load() const;
    /// The record is durable when this returns. Throws SystemFailure.
    void save(const State& state) const;
    /// The closed records that can be understood, the oldest first. A damaged record hides no other.
    std::vector<State> closed() const;
    /// What is wrong with the closed records that cannot be understood.
    std::vector<Failure> not_understood() const;
    /// The closed record of one upgrade; nothing when there is none. Throws Failure like load().
    std::optional<State> closed(const std::string& id) const;
    /// Moves a record that cannot be understood to history/, and returns its new path. Throws SystemFailure.
    std::string set_aside(const std::string& suffix) const;
    /// Saves the closed record, and a copy of it in history/. Throws SystemFailure.
    void close(const State& state) const;
    /// Reserves some room on the disk, so that save() works even when a change has filled it. close() frees
    /// the room. Throws SystemFailure.
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
