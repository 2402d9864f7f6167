#pragma once
// The journal, and what systemd shows of this process.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace um {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The journal, the service manager's status line, and the terminal of an attending operator.
class Journal {
public:
    virtual ~Journal() = default;
    /// One structured entry. Failing to write is no reason to fail an upgrade: throws nothing.
    virtual void entry(const Fields& fields) noexcept = 0;
    /// The first message of this boot that holds the text and is of one of the units, names or glob(7)
    /// patterns, as "UNIT: MESSAGE"; nothing where there is none. Throws SystemFailure.
    virtual std::optional<std::string> find_in_this_boot(const std::string& text,
                                                         const std::vector<std::string>& units) = 0;
    /// STATUS= for `systemctl status` and `um-upgrade status`.
    virtual void status(const std::string& text) noexcept = 0;
};

} // namespace um
