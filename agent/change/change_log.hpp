#pragma once
// The log of the procedure's step 10: what the script or the package manager printed, with times.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace um {

/// A change does not begin if its log cannot be opened. It does not stop half-way if a line cannot be
/// written.
class ChangeLog {
public:
    /// Makes the directory if it is missing. Throws SystemFailure, also if `path` is a link or no regular
    /// file.
    ChangeLog(const std::string& path, Appliance& appliance);
    ChangeLog(const ChangeLog&) = delete;
    ChangeLog& operator=(const ChangeLog&) = delete;
    /// Appends one line with the time. Ignores a failure to write.
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
