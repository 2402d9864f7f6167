#pragma once
// What nobody but root could have put there, and nobody but root can change or exchange.

#include "base/fd.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace um {

/// Others than root could change the file, or a directory on the way to it.
class Unguarded : public std::runtime_error {
public:
    Unguarded(const std::string& message, std::string hint)
        : std::runtime_error(message), hint_(std::move(hint)) {}
    const std::string& hint() const noexcept { return hint_; }

private:
    std::string hint_;
};

enum class Links { refuse, follow };

/// Opens a regular file for reading. `path` is absolute and is walked one name at a time, by descriptors, so
/// that nothing is looked up twice: the file and every directory on the way, also behind a link, must belong
/// to root and be writable by nobody else. An access control list shows in the group's bits of the mode
/// (acl(5)). None when there is no such file. Throws Unguarded, or SystemFailure.
Fd open_guarded(const std::string& path, Links links);

/// The same for a directory; the descriptor is for its path alone (O_PATH).
Fd open_guarded_directory(const std::string& path, Links links);

} // namespace um
