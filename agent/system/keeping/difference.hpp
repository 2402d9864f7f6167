#pragma once
// What is not as it was kept.

#include "system/keeping/kept_files.hpp"

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace um {

/// The entries of a kept by their paths; the kept must outlive it.
class Known {
public:
    explicit Known(const KeptFiles& kept);
    const Entry* find(const std::string& path) const;
    bool is_left_out(const std::string& path) const;
    /// Whether something that is left out stands below the directory.
    bool holds_left_out(const std::string& directory) const;

private:
    const KeptFiles& kept_;
    std::unordered_map<std::string, const Entry*> entries_;
};

/// Calls `strange` for each path of the trees that is neither known nor left out; directories that it may not
/// take as a whole are looked into. Throws SystemFailure.
void for_each_strange(const KeptFiles& kept, const Known& known,
                      const std::function<void(const std::string& path)>& strange);

/// One sentence for each path that differs: kind, owner, mode, attributes, time, content, additions.
/// Throws SystemFailure.
std::vector<std::string> differences(const KeptFiles& kept);

} // namespace um
