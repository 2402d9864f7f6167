#pragma once
// Helpers for all kinds of tests: a directory of their own, whole files, and a shell.

#include <string>
#include <vector>

namespace um::test {

/// A place where only root can write, as the agent requires it for media, anchors and mount points.
inline constexpr auto guarded_place = "/run";

/// A directory that is removed with the object.
class Scratch {
public:
    /// Makes the directory below `base`. If that is empty, it is where temporary files go. The agent takes no
    /// media from there.
    explicit Scratch(const std::string& base = {});
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();

    const std::string& path() const { return path_; }
    /// The path of `name` in it.
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    /// Writes a file, mode 0600, and returns its path.
    std::string file(const std::string& name, const std::string& text) const;

private:
    std::string path_;
};

/// The content of a file. Throws std::runtime_error if it cannot be read.
std::string text_of(const std::string& path);
/// The sorted names in a directory.
std::vector<std::string> names_in(const std::string& directory);
/// The value of $JOURNAL_STREAM under which this descriptor is the journal's.
std::string journal_stream(int fd);
/// How many descriptors this process has open.
std::size_t open_descriptors();

struct ShellResult {
    int status = 0;
    std::string output; ///< standard output and standard error
};
ShellResult shell(const std::string& command);

} // namespace um::test
