#pragma once
// The port to the old system's files: keeping them before a change, and putting them back after one that
// failed.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace um {

/// A file that a package owns, as rpm's database has it.
struct PackagedFile {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t modified = 0; ///< seconds since the epoch
    std::string sha256;        ///< lower-case hexadecimal; empty where rpm knows none, or only another digest
    bool rewritten = false; ///< in place, by others than rpm: configuration, and what scripts make (%ghost)
};

/// What is kept. Paths are absolute; what does not exist is passed over.
struct KeepScope {
    std::vector<PackagedFile>
        packaged;                    ///< linked, since rpm renames; copied where something may rewrite them
    std::vector<std::string> copied; ///< single files and links that may be rewritten in place
    std::vector<std::string> trees;  ///< whole: what is added to them goes again
    std::vector<std::string>
        databases;                     ///< whole trees whose present content is worth nothing: rpm's database
    std::vector<std::string> data;     ///< whole trees or files, copied while the product stands still
    std::vector<std::string> excluded; ///< neither kept nor touched
    std::vector<std::string> logs;     ///< directories: of packages' files below, none is kept
    std::vector<std::string> incoming; ///< what the change may add: files of the media's packages
};

/// What keeping takes of one file system.
struct KeepNeed {
    std::string directory; ///< where its store stands or would stand
    std::uint64_t bytes = 0;
    std::uint64_t files = 0; ///< inodes
};

struct KeepCost {
    std::vector<KeepNeed> needs; ///< one for each file system
    std::uint64_t links = 0;
    std::uint64_t copies = 0;
    std::uint64_t bytes = 0;           ///< of the copies
    std::vector<std::string> unkept{}; ///< why something cannot be kept, one sentence each
    std::vector<std::string> torn{};   ///< paths that changed while they were copied, three times
};

/// What a rollback came to.
struct RollbackResult {
    std::uint64_t put_back = 0;           ///< paths that were not as they were
    std::uint64_t set_aside = 0;          ///< paths that were not there before, or were written to since
    std::vector<std::string> differences; ///< what is not as it was, one sentence each
};

/// Every function throws SystemFailure when the machine fails it, and Terminated.
class Keeper {
public:
    virtual ~Keeper() = default;
    /// Looks at what keep() would take; changes nothing.
    virtual KeepCost cost(const KeepScope& scope) = 0;
    /// Keeps it as way back `id`, durably; `with_product_stopped` runs what copies the data. One that was
    /// begun and not finished is no way back.
    using Around = std::function<void(const std::function<void()>& copy_data)>;
    virtual KeepCost keep(const std::string& id, const KeepScope& scope,
                          const Around& with_product_stopped) = 0;
    /// The ids of the ways back that are complete.
    virtual std::vector<std::string> kept() = 0;
    /// Gives up what was reserved on each file system, so that taking back works where the change has filled
    /// it.
    virtual void make_room(const std::string& id) = 0;
    /// Puts everything back that is not as it was, and compares. May be cut off and called again.
    /// `added`: files that packages own now. Throws Failure (rollback.failed), with nothing put back, when
    /// the kept files are not whole.
    virtual RollbackResult roll_back(const std::string& id, const std::vector<std::string>& added) = 0;
    /// Every id that something is left of.
    virtual std::vector<std::string> all() = 0;
    /// Gives the space back, but for data that were set aside; `added`: also for what the change had added.
    enum class Added { stay, go };
    virtual void discard(const std::string& id, Added added) = 0;
    /// Directories with data that were set aside when `id` was taken back.
    virtual std::vector<std::string> set_aside(const std::string& id) = 0;
    /// A directory of the way back's own for the story's notes.
    virtual std::string directory(const std::string& id) = 0;
};

} // namespace um
