#pragma once
// The machine that is upgraded: its programs, files, clock and names.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// Of each output of a program, so many bytes are kept.
inline constexpr std::size_t output_limit = 32UL * 1024 * 1024;

struct CommandResult {
    int status = 0;     ///< exit status; 128 + N when signal N ended it
    std::string output; ///< standard output
    bool timed_out = false;
    std::string errors{}; ///< standard error: programs warn there and do their work all the same
    /// Everything that it printed, for a person.
    std::string said() const { return output + errors; }
};

struct Space {
    std::uint64_t device = 0;
    std::uint64_t available = 0;                ///< bytes
    std::uint64_t available_files = UINT64_MAX; ///< inodes, where the file system counts them
};

struct LogFile {
    std::string path;
    std::uint64_t size = 0; ///< bytes
    std::chrono::system_clock::time_point modified{};
    std::string id{}; ///< the same when it is renamed: DEVICE:INODE
};

/// A program that the operator put there for the agent to run.
struct AdminCheck {
    std::string path;
    std::string problem; ///< why it cannot be run, or should not be; empty: it can
};

/// The machine that is being upgraded.
class Appliance {
public:
    virtual ~Appliance() = default;
    /// Runs a program, never a shell. `user`: run as, with its groups and a clean environment; empty: as
    /// root.
    virtual CommandResult run(const std::vector<std::string>& command, const std::string& user,
                              std::chrono::seconds limit) = 0;
    virtual bool directory_exists(const std::string& path) = 0;
    /// A regular file, not a link to one.
    virtual bool is_plain_file(const std::string& path) = 0;
    /// Whether a program of this name can be run.
    virtual bool program_exists(const std::string& name) = 0;
    /// The files in a directory, by name, but for hidden ones and what editors and packages leave; none where
    /// there is no such directory. Others than root must not be able to change them.
    virtual std::vector<AdminCheck> admin_checks(const std::string& directory) = 0;
    virtual Space space(const std::string& path) = 0;
    virtual std::string boot_id() = 0;
    /// Writes the file systems of the system itself to their disks. Throws SystemFailure.
    virtual void sync() = 0;
    /// Writes the journal to disk; else it is minutes behind. Throws nothing: the upgrade matters more.
    virtual void flush_journal() noexcept = 0;
    /// Bytes; nothing where there is no file, or something else than a file (a link is followed).
    virtual std::optional<std::uint64_t> file_size(const std::string& path) = 0;
    /// The plain files in a directory and up to four below it; none where there is no such directory.
    virtual std::vector<LogFile> files_below(const std::string& directory) = 0;
    /// Whether the file holds the text between two of its bytes; what cannot be read does not.
    virtual bool file_holds(const std::string& path, std::uint64_t from, std::uint64_t to,
                            const std::string& text) = 0;
    /// The host's name as the kernel has it, then with its domain where the resolver knows that.
    virtual std::vector<std::string> host_names() = 0;
    /// Of the kernel that runs, as `uname -r` has it.
    virtual std::string kernel_release() = 0;
    /// The process that holds a lock for writing on the file, as "dnf (process 1234)", or words for it where
    /// the kernel does not say which (flock(2)); nothing when none does.
    virtual std::optional<std::string> lock_holder(const std::string& path) = 0;
    virtual std::chrono::system_clock::time_point now() = 0;
    /// Monotonic, for durations and deadlines.
    virtual std::chrono::microseconds uptime() = 0;
    virtual void sleep(std::chrono::milliseconds time) = 0;
    virtual std::string new_id() = 0;
    /// Who started this: a login name.
    virtual std::string operator_name() = 0;
};

} // namespace um
