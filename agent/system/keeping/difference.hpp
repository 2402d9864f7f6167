#pragma once
// What differs from the kept files.

#include "system/keeping/kept_files.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace um {

/// Finds entries of the kept files by their paths. The kept files must outlive it.
class Known {
public:
    explicit Known(const KeptFiles& kept);
    /// Null for an unknown path. The kept files own the entry.
    const Entry* find(const std::string& path) const;
    bool is_left_out(const std::string& path) const;
    /// Whether the directory, or something below it, is left out.
    bool holds_left_out(const std::string& directory) const;

private:
    const KeptFiles& kept_;
    std::unordered_map<std::string, const Entry*> entries_;
};

/// Calls `strange` for each path in the trees that is neither known nor left out. Sockets and stores do not
/// count. What is in an unknown directory is looked at only if some of it is left out; otherwise the
/// directory is strange as a whole. Throws SystemFailure.
void for_each_strange(const KeptFiles& kept, const Known& known,
                      const std::function<void(const std::string& path)>& strange);

/// One sentence for each path that differs in kind, owner, mode, attributes, time or content, or that was
/// added. Throws SystemFailure.
std::vector<std::string> differences(const KeptFiles& kept);

} // namespace um
