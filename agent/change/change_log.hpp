#pragma once
// The log of the source, step 10: what the script or the package manager printed, with times.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace um {

/// A log that cannot be written is no reason to stop a change half-way; one that cannot be opened is a reason
/// not to begin it.
class ChangeLog {
public:
    /// Makes the directory when it is missing. Throws SystemFailure, also where a link stands.
    ChangeLog(const std::string& path, Appliance& appliance);
    ChangeLog(const ChangeLog&) = delete;
    ChangeLog& operator=(const ChangeLog&) = delete;
    void line(const std::string& text);
    /// Writes to disk what is older than a second. To be called often: a power cut takes no more than that.
    void write_through();
    /// Writes everything to disk.
    ~ChangeLog();

private:
    std::string path_;
    Appliance& appliance_;
    Fd fd_;
    std::optional<std::chrono::microseconds> unwritten_since_; ///< the oldest line that is not on disk
};

} // namespace um
