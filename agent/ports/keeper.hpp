#pragma once
// The port to the kept files: it keeps the old system before a change, and puts it back in a rollback.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// A file that a package owns, as the rpm database describes it.
struct PackagedFile {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t modified = 0; ///< seconds since the epoch
    std::string sha256;     ///< lower-case hexadecimal; empty when rpm has no digest, or one of another kind
    bool rewritten = false; ///< not only rpm writes to it: configuration, and what scripts make (%ghost)
};

/// What to keep. Paths are absolute. A path that does not exist is skipped.
struct KeepScope {
    std::vector<PackagedFile> packaged; ///< linked, because rpm renames; copied if something may rewrite them
    std::vector<std::string> copied;    ///< single files and links that may be rewritten in place
    std::vector<std::string> trees;     ///< kept whole: a rollback removes what was added to them
    std::vector<std::string> databases; ///< whole trees; a rollback drops their new content: rpm's database
    std::vector<std::string> data;      ///< whole trees or files, copied while the product is stopped
    std::vector<std::string> excluded;  ///< neither kept nor changed
    std::vector<std::string> logs;      ///< directories; no package's file below them is kept
    std::vector<std::string> incoming;  ///< what the change may add: the files of the media's packages
};

/// What keeping takes on one file system.
struct KeepNeed {
    std::string directory; ///< that holds its store, or would hold it
    std::uint64_t bytes = 0;
    std::uint64_t files = 0; ///< inodes
};

struct KeepCost {
    std::vector<KeepNeed> needs; ///< one for each file system
    std::uint64_t links = 0;
    std::uint64_t copies = 0;
    std::uint64_t bytes = 0;           ///< of the copies
    std::vector<std::string> unkept{}; ///< why something cannot be kept, one sentence each
    std::vector<std::string> torn{};   ///< paths that changed during each of three attempts to copy them
};

/// What a rollback did.
struct RollbackResult {
    std::uint64_t put_back = 0;           ///< paths that were not as before
    std::uint64_t set_aside = 0;          ///< paths that were not there before, or were written to since
    std::vector<std::string> differences; ///< what is still not as before, one sentence each
};

/// Every function throws SystemFailure when the machine fails, and Terminated.
class Keeper {
public:
    virtual ~Keeper() = default;
    /// What keep() would take. Changes nothing.
    virtual KeepCost cost(const KeepScope& scope) = 0;
    /// Keeps the scope durably under `id`. If there is data, `with_product_stopped` is called; it stops the
    /// product and runs `copy_data`. Kept files that are not complete are of no use for a rollback. Throws
    /// Failure (packages.locked) while packages are being changed, and what `with_product_stopped` throws.
    using Around = std::function<void(const std::function<void()>& copy_data)>;
    virtual KeepCost keep(const std::string& id, const KeepScope& scope,
                          const Around& with_product_stopped) = 0;
    /// The ids that have complete kept files.
    virtual std::vector<std::string> kept() = 0;
    /// Frees the room that was reserved on each file system, so that a rollback works even where the change
    /// has filled the disk.
    virtual void make_room(const std::string& id) = 0;
    /// Puts everything back that is not as before, and compares. It may be cut off and called again.
    /// `added`: the files that packages own now. Throws Failure (rollback.failed), with nothing put back,
    /// when the kept files are not whole.
    virtual RollbackResult roll_back(const std::string& id, const std::vector<std::string>& added) = 0;
    /// Every id of which something is left.
    virtual std::vector<std::string> all() = 0;
    /// Removes the kept files and frees their space, but not data that were set aside. Added::go also removes
    /// what the change had added.
    enum class Added { stay, go };
    virtual void discard(const std::string& id, Added added) = 0;
    /// Directories with data that the rollback of `id` set aside.
    virtual std::vector<std::string> set_aside(const std::string& id) = 0;
    /// The directory that belongs to the kept files `id`. The agent puts its notes there.
    virtual std::string directory(const std::string& id) = 0;
};

} // namespace um
