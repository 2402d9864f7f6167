#include "change/change_log.hpp"

#include "base/failure.hpp"
#include "base/file.hpp"
#include "base/path.hpp"
#include "base/time.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace um {

ChangeLog::ChangeLog(const std::string& path, Appliance& appliance) : path_(path), appliance_(appliance) {
    make_directories(parent_of(path), 0755);
    // Users of the product may own the directory. A link of theirs must not redirect root's writes.
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
        // ignoring: the journal also has the line, and the disk may be full now
    }
    if (!unwritten_since_)
        unwritten_since_ = appliance_.uptime();
    write_through();
}

void ChangeLog::write_through() {
    if (!unwritten_since_ || appliance_.uptime() - *unwritten_since_ < std::chrono::seconds(1))
        return;
    unwritten_since_.reset();
    // ignoring the result: nothing can be done, and the journal has the lines as well
    static_cast<void>(::fdatasync(fd_.get()));
}

ChangeLog::~ChangeLog() {
    if (unwritten_since_)
        static_cast<void>(::fdatasync(fd_.get())); // ignoring, as above
}

} // namespace um
