#pragma once
// What the story needs from the world. One adapter in system/ stands behind each port; tests put fakes there.
// Unless said otherwise, every function throws SystemFailure when the machine fails it.

#include "base/failure.hpp"
#include "base/fd.hpp"
#include "ports/keeper.hpp"
#include "media/manifest.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace um {

/// Called with bytes done and bytes in all; may throw to end the work.
using OnProgress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// The ISO, open from authentication to unmount: no path is opened twice.
struct OpenMedia {
    Fd fd;
    std::string path;       ///< for messages only
    std::uint64_t size = 0; ///< bytes
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    bool drive = false;           ///< a CD-ROM drive, not a file
    bool leased = false;          ///< the kernel tells when somebody opens the file for writing
    std::uint64_t generation = 0; ///< the kernel's number of the medium in a drive; 0: it does not count them
    std::int64_t modified_ns = 0; ///< of the file's content, since the epoch
    std::int64_t attributed_ns = 0; ///< of the file's attributes and names, since the epoch (st_ctime)
};

/// Finds and opens media: files and drives.
class MediaDirectory {
public:
    virtual ~MediaDirectory() = default;
    /// Paths that match a shell pattern, sorted. A device counts only when a medium is in it.
    virtual std::vector<std::string> matches(const std::string& pattern) = 0;
    /// What stands under /dev is a drive, all else a file that only root can change, on a local file system,
    /// with nobody writing to it. Throws Failure (media.none, media.insecure, media.unreadable).
    virtual OpenMedia open(const std::string& path) = 0;
    /// Nothing when there is no such file. Throws Failure (media.insecure, media.unreadable).
    virtual std::optional<std::string> read_sidecar(const std::string& path) = 0;
    /// The medium is still what was opened: size, times, names; nobody tried to write to it; the drive told
    /// of no exchange. Throws Failure (media.changed).
    virtual void expect_unchanged(const OpenMedia& media) = 0;
};

struct Signer {
    std::string subject;     ///< RFC 2253
    std::string fingerprint; ///< SHA-256, lower-case hexadecimal
    std::string not_before;  ///< ISO 8601
    std::string not_after;
};

/// Whom to trust; mirrors [trust] of the configuration.
struct TrustPolicy {
    std::string anchors; ///< directory, PEM file, or "system"
    /// Allowed subjects, their CN or O, or "sha256:FINGERPRINT"; empty: any below the anchors.
    std::vector<std::string> signers;
    std::string crl; ///< PEM file; empty: none
    bool accept_expired = false;
    bool accept_sha1 = true;
};

struct CertificateVerdict {
    std::optional<Signer> signer; ///< absent when the certificate cannot be read
    std::vector<Finding> findings;
};

/// What a certificate calls its owner.
struct CertificateNames {
    std::vector<std::string> common_names;
    std::vector<std::string> alternatives; ///< subjectAltName: host names alone
};

class Crypto {
public:
    virtual ~Crypto() = default;
    /// One pass over the medium from its first byte to its last. Throws Failure (media.unreadable).
    virtual Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                           const OnProgress& on_progress) = 0;
    /// The chain from the leaf in `pem` to an anchor, dates, usage, signer and revocation.
    virtual CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) = 0;
    /// `signature` over `message` by the key of the leaf in `pem`. Returns the digest that was signed.
    /// Throws Failure (signature.malformed, signature.mismatch, digest.weak).
    virtual DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                             const std::string& pem, const TrustPolicy& policy) = 0;
    /// Of the certificate in a PEM file, or that "tls://HOST:PORT" presents to who asks for `host_name`.
    /// Throws SystemFailure.
    virtual CertificateNames certificate_names(const std::string& where, const std::string& host_name) = 0;
};

/// A mounted medium; unmounts when it goes, unless it was left.
class Mounted {
public:
    virtual ~Mounted() = default;
    virtual std::uint64_t device() const = 0; ///< st_dev of the mounted file system
    /// It stays mounted when this object goes: another process works on it.
    virtual void leave() = 0;
};

class Mounts {
public:
    virtual ~Mounts() = default;
    /// Probes and mounts `media` read-only, nosuid, nodev, from its descriptor, and proves that the mounted
    /// medium is that one. Whatever fails, no mount and no loop device is left.
    /// Throws Failure (media.filesystem, media.changed, media.insecure).
    virtual std::unique_ptr<Mounted> mount(const OpenMedia& media, const std::string& target) = 0;
    /// Unmounts the media that earlier starts left at `target`; true when there were any.
    /// Throws Failure (media.filesystem) when something else is mounted there, or when they are in use.
    virtual bool clear(const std::string& target) = 0;
    /// Takes over what an earlier run left mounted at `target`, to unmount it in the end.
    virtual std::unique_ptr<Mounted> adopt(const std::string& target) = 0;
    /// st_dev of what is mounted at `target`; nothing when it is no mount point.
    virtual std::optional<std::uint64_t> device_at(const std::string& target) = 0;
};

struct UnitStatus {
    bool loaded = false;
    bool masked = false;
    std::string active;      ///< "active", "activating", "inactive", "failed" …
    std::string enablement;  ///< "enabled", "disabled", "static" …
    std::string status_text; ///< what the unit said with STATUS=
    std::string result;      ///< of a service: "success", "exit-code" …
    bool job = false;        ///< a start or stop of it is queued or under way
    /// At work, or about to be.
    bool running() const {
        return job || active == "activating" || active == "active" || active == "deactivating";
    }
};

/// What a service has been through in this boot.
struct UnitHistory {
    unsigned restarts = 0; ///< how often systemd started it again by itself, or is about to
    std::chrono::microseconds active_since{}; ///< on Appliance::uptime()'s clock
};

/// systemd and logind over D-Bus.
class Services {
public:
    virtual ~Services() = default;
    virtual UnitStatus status(const std::string& unit) = 0;
    virtual UnitHistory history(const std::string& service) = 0;
    /// What the unit is called itself: other than `unit` where that is an alias.
    virtual std::string own_name(const std::string& unit) = 0;
    virtual void enable(const std::string& unit) = 0;
    /// Starts the unit and waits for the job. Throws SystemFailure when it fails.
    virtual void start(const std::string& unit) = 0;
    /// Stops the unit and waits for the job. Throws SystemFailure when it fails.
    virtual void stop(const std::string& unit) = 0;
    /// Asks for the start of a oneshot unit and waits for nothing.
    virtual void begin(const std::string& unit) = 0;
    /// Waits, however long, for a oneshot unit's end; `on_status` hears what the unit says of itself.
    /// Survives a restart of D-Bus or systemd. Returns the unit's result.
    virtual std::string wait_for_end(const std::string& unit,
                                     const std::function<void(const std::string&)>& on_status) = 0;
    /// While the descriptor is open, logind refuses to shut down, to reboot and to sleep to whom it can;
    /// `why` is what it tells them. Root's reboot passes before systemd 257.
    virtual Fd inhibit_shutdown(const std::string& why) = 0;
    /// "shutdown" when one is under way; "reboot", "poweroff" … when it is scheduled `within` this time from
    /// now; else empty.
    virtual std::string shutdown_due(std::chrono::microseconds within) = 0;
    /// Asks logind for a reboot that begins when this process ends; where logind is not there, systemd for
    /// one that begins at once.
    virtual void reboot() = 0;
    /// A reboot with a wall message, `delay` from now.
    virtual void schedule_reboot(std::chrono::microseconds delay) = 0;
    /// Whether this process runs in `unit`.
    virtual bool inside(const std::string& unit) = 0;
};

struct CommandResult {
    int status = 0;     ///< exit status; 128 + N when signal N ended it
    std::string output; ///< standard output
    bool timed_out = false;
    std::string errors{}; ///< standard error: programs warn there and do their work all the same
    /// Everything that it printed, for a person.
    std::string said() const { return output + errors; }
};

struct Space {
    std::string path;
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

/// A program on a terminal of its own.
class Terminal {
public:
    virtual ~Terminal() = default;
    struct Session {
        std::function<void(const std::string& output)> on_output;
        /// Called again and again while nothing comes; returns what to type, or nothing. May throw to end the
        /// program.
        std::function<std::optional<std::string>(std::chrono::milliseconds quiet)> on_quiet;
    };
    /// Returns the exit status; 128 + N when signal N ended it. Whatever the session throws ends the program.
    virtual int run(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    const Session& session) = 0;
    /// Whether a process is known to wait for what is typed; for the session to ask. Not every way of waiting
    /// can be seen.
    virtual bool awaits_input() = 0;
    /// Whether it reads key by key now, not line by line; for the session to ask.
    virtual bool reads_keys() = 0;
};

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The journal, the service manager's status line, and the terminal of an attending operator.
class Journal {
public:
    virtual ~Journal() = default;
    /// One structured entry. Failing to write is no reason to fail an upgrade: throws nothing.
    virtual void entry(const Fields& fields) noexcept = 0;
    /// The first message of this boot that holds the text and is of one of the units, names or glob(7)
    /// patterns, as "UNIT: MESSAGE"; nothing where there is none. Throws SystemFailure.
    virtual std::optional<std::string> find_in_this_boot(const std::string& text,
                                                         const std::vector<std::string>& units) = 0;
    /// STATUS= for `systemctl status` and `um-upgrade status`.
    virtual void status(const std::string& text) noexcept = 0;
};

struct Ports {
    MediaDirectory& media;
    Crypto& crypto;
    Mounts& mounts;
    Services& services;
    Appliance& appliance;
    Terminal& terminal;
    Journal& journal;
    Keeper& keeper;
};

} // namespace um
