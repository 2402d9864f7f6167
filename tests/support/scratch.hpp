#pragma once
// What tests of several kinds need: a directory of their own, whole files, and a shell.

#include <string>
#include <vector>

namespace um::test {

/// A place where only root can write, as the agent wants it for media, anchors and mount points.
inline constexpr auto guarded_place = "/run";

/// A directory that goes with the object.
class Scratch {
public:
    /// Below `base`; empty: where temporary files go, which is no place that the agent takes media from.
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

/// Throws std::runtime_error where the file cannot be read.
std::string text_of(const std::string& path);
/// Names in a directory, sorted.
std::vector<std::string> names_in(const std::string& directory);
/// What $JOURNAL_STREAM says where this descriptor is the journal's.
std::string journal_stream(int fd);
/// How many descriptors this process has open.
std::size_t open_descriptors();

struct ShellResult {
    int status = 0;
    std::string output; ///< standard output and standard error
};
ShellResult shell(const std::string& command);

} // namespace um::test
