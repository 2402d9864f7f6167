#pragma once
// Opens files that only root could have put there, and that only root can change or exchange.

#include "base/fd.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace um {

/// Users other than root could change the file, or a directory on the way to it.
class Unguarded : public std::runtime_error {
public:
    Unguarded(const std::string& message, std::string hint)
        : std::runtime_error(message), hint_(std::move(hint)) {}
    const std::string& hint() const noexcept { return hint_; }

private:
    std::string hint_;
};

enum class Links { refuse, follow };

/// Opens a regular file for reading; no descriptor when there is no such file. `path` is absolute. It is
/// walked one name at a time, by descriptors, so that nothing is looked up twice. The file and every
/// directory on the way, also behind a link, must belong to root, and nobody else may write to it. The mode
/// is enough to judge that, because an access control list shows in its group bits (acl(5)). Throws Unguarded
/// and SystemFailure.
Fd open_guarded(const std::string& path, Links links);

/// The same for a directory. The descriptor only names it (O_PATH).
Fd open_guarded_directory(const std::string& path, Links links);

} // namespace um
