#pragma once
// The machine that is upgraded: its programs, files, clock and names.
// Unless noted otherwise, every function throws SystemFailure when the machine fails.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// How many bytes of each output of a program are kept.
inline constexpr std::size_t output_limit = 32UL * 1024 * 1024;

struct CommandResult {
    int status = 0;     ///< exit status; 128 + N when signal N ended the program
    std::string output; ///< standard output
    bool timed_out = false;
    std::string errors{}; ///< standard error: programs also warn there when they succeed
    /// Everything that the program printed, for a person to read.
    std::string said() const { return output + errors; }
};

struct Space {
    std::uint64_t device = 0;                   ///< st_dev
    std::uint64_t available = 0;                ///< bytes
    std::uint64_t available_files = UINT64_MAX; ///< inodes, if the file system counts them
};

struct LogFile {
    std::string path;
    std::uint64_t size = 0; ///< bytes
    std::chrono::system_clock::time_point modified{};
    std::string id{}; ///< DEVICE:INODE, which a rename does not change
};

/// A program that the operator installed for the agent to run.
struct AdminCheck {
    std::string path;
    std::string problem; ///< why it cannot or should not be run; empty when it can
};

/// The machine that is being upgraded.
class Appliance {
public:
    virtual ~Appliance() = default;
    /// Runs a program, never a shell. With a `user`, it runs as that user, with the user's groups and a clean
    /// environment; else as root. After `limit` the program is ended. Throws Terminated.
    virtual CommandResult run(const std::vector<std::string>& command, const std::string& user,
                              std::chrono::seconds limit) = 0;
    virtual bool directory_exists(const std::string& path) = 0;
    /// Whether it is a regular file, and not a link to one.
    virtual bool is_plain_file(const std::string& path) = 0;
    /// Whether there is a program of this name, or at this path, that can be run.
    virtual bool program_exists(const std::string& name) = 0;
    /// The files in a directory, sorted, without hidden ones and what editors and packages leave behind. None
    /// when there is no such directory. A file that users other than root could change has a problem.
    virtual std::vector<AdminCheck> admin_checks(const std::string& directory) = 0;
    virtual Space space(const std::string& path) = 0;
    virtual std::string boot_id() = 0;
    /// Writes the file systems that belong to the system itself to their disks. Throws SystemFailure.
    virtual void sync() = 0;
    /// Writes the journal to disk, which otherwise is minutes behind. Throws nothing, because the upgrade
    /// matters more.
    virtual void flush_journal() noexcept = 0;
    /// Bytes; nothing when there is no regular file. A link is followed.
    virtual std::optional<std::uint64_t> file_size(const std::string& path) = 0;
    /// The regular files in a directory and up to four levels below it. None when there is no such directory.
    virtual std::vector<LogFile> files_below(const std::string& directory) = 0;
    /// Whether the file contains the text between the offsets `from` and `to`. A file that cannot be read
    /// does not. Throws Terminated.
    virtual bool file_holds(const std::string& path, std::uint64_t from, std::uint64_t to,
                            const std::string& text) = 0;
    /// The kernel's name of the host, then the name with its domain if the resolver knows another one.
    virtual std::vector<std::string> host_names() = 0;
    /// The release of the running kernel, as `uname -r` prints it.
    virtual std::string kernel_release() = 0;
    /// The process that holds a write lock on the file, as "dnf (process 1234)"; nothing when there is none.
    /// For a lock of flock(2) the kernel does not name the process, and the text names the file instead.
    virtual std::optional<std::string> lock_holder(const std::string& path) = 0;
    virtual std::chrono::system_clock::time_point now() = 0;
    /// The monotonic clock, for durations and deadlines.
    virtual std::chrono::microseconds uptime() = 0;
    /// Throws Terminated.
    virtual void sleep(std::chrono::milliseconds time) = 0;
    /// A new UUID.
    virtual std::string new_id() = 0;
    /// The login name of the operator, also behind sudo(8).
    virtual std::string operator_name() = 0;
};

} // namespace um
