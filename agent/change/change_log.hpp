#pragma once
// The log of the procedure's step 10: what the script or the package manager printed, with times.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <string>

namespace um {

/// A change does not begin if its log cannot be opened. It does not stop half-way if a line cannot be
/// written.
class ChangeLog {
public:
    /// Makes the directory if it is missing. Throws SystemFailure, also if `path` is a link or no regular
    /// file.
    ChangeLog(const std::string& path, Appliance& appliance);
    /// Appends one line with the time. Ignores a failure to write.
    void line(const std::string& text);

private:
    std::string path_;
    Appliance& appliance_;
    Fd fd_;
};

} // namespace um
