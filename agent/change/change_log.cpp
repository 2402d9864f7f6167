#include "change/change_log.hpp"

#include "upgrade/snapshot.hpp"
#include "base/file.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>

namespace um {

ChangeLog::ChangeLog(const std::string& path, Appliance& appliance) : path_(path), appliance_(appliance) {
    const auto slash = path.find_last_of('/');
    make_directories(path.substr(0, std::max<std::size_t>(slash, 1)), 0755);
    // Users of the product may own the directory: no link of theirs may send root's writes elsewhere.
    fd_ = open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0640);
    struct stat status {};
    if (::fstat(fd_.get(), &status) < 0)
        throw SystemFailure(fmt::format("stat '{}'", path), errno);
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        throw SystemFailure(fmt::format("'{}' is a link or no regular file; move it away", path));
}

void ChangeLog::line(const std::string& text) {
    try {
        write_all(fd_.get(), fmt::format("{} {}\n", iso8601(appliance_.now()), text), path_);
    } catch (const SystemFailure&) {
        // ignoring: the journal has the line as well, and the disk may be full just now
    }
}

} // namespace um
