#pragma once
// The journal, and what systemd shows of this process.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace um {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The journal, and the status line that the service manager shows.
class Journal {
public:
    virtual ~Journal() = default;
    /// Writes one structured entry. Throws nothing, because a failed write is no reason to fail an upgrade.
    virtual void entry(const Fields& fields) noexcept = 0;
    /// The first message of this boot that contains `text` and comes from one of `units` (names, or glob(7)
    /// patterns). It is returned as "UNIT: MESSAGE"; nothing when there is none. Throws SystemFailure.
    virtual std::optional<std::string> find_in_this_boot(const std::string& text,
                                                         const std::vector<std::string>& units) = 0;
    /// Sets STATUS=, which `systemctl status` and `um-upgrade status` show.
    virtual void status(const std::string& text) noexcept = 0;
};

} // namespace um
