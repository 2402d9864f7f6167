#pragma once
// Makes the stores, and fills them with the files to be kept.

#include "base/fd.hpp"
#include "system/keeping/keep_list.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace um {

/// The bytes that a store reserves on the file system of `directory`. They make a rollback possible when the
/// change has filled that file system. Throws SystemFailure.
std::uint64_t ballast_size(const std::string& directory);

/// Keeps what a list found. The list must outlive it. Every function throws SystemFailure and Terminated.
class Filling {
public:
    explicit Filling(KeepList& list) : list_(list) {}

    /// Keeps what the list found since the last call.
    void fill();
    void write_to_disk() const;
    /// Paths that changed during every attempt to copy them.
    std::vector<std::string>& torn() { return torn_; }

private:
    void open_stores();
    /// The descriptor of the directory for the next file. This object owns it.
    int bucket(const Entry& entry);
    void keep(Item& item);
    /// False if the file must be copied.
    bool link(const Item& item, int directory);
    void copy(Item& item, const std::string& kept);

    KeepList& list_;
    std::size_t done_ = 0;
    std::size_t opened_ = 0;
    std::uint64_t number_ = 0;
    Fd parent_;               ///< the directory of the file that was linked last
    std::string parent_name_; ///< with the slash at its end
    bool parent_is_roots_ = false;
    Fd bucket_;
    std::pair<std::uint32_t, std::uint64_t> bucket_id_{UINT32_MAX, 0};
    std::vector<std::string> torn_;
};

} // namespace um
