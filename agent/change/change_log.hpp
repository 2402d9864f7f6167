#pragma once
// The log of the source, step 10: what the script or the package manager printed, with times.

#include "base/fd.hpp"
#include "ports/appliance.hpp"

#include <string>

namespace um {

/// A log that cannot be written is no reason to stop a change half-way; one that cannot be opened is a reason
/// not to begin it.
class ChangeLog {
public:
    /// Makes the directory when it is missing. Throws SystemFailure, also where a link stands.
    ChangeLog(const std::string& path, Appliance& appliance);
    void line(const std::string& text);

private:
    std::string path_;
    Appliance& appliance_;
    Fd fd_;
};

} // namespace um
