#include "system/keeping/difference.hpp"

#include "base/failure.hpp"
#include "base/path.hpp"
#include "base/sha256.hpp"
#include "system/keeping/file_status.hpp"
#include "system/keeping/store.hpp"

#include <algorithm>
#include <sys/stat.h>

namespace um {
namespace {

void look_into(const std::string& directory, const Known& known,
               const std::function<void(const std::string& path)>& strange) {
    for (const auto& name : names_in(directory)) {
        const auto path = path_in(directory, name);
        if (name == store_name || known.is_left_out(path))
            continue;
        const auto seen = look_at(path);
        if (!seen || S_ISSOCK(seen->entry.mode))
            continue;
        const bool is_directory = seen->entry.kind == EntryKind::directory;
        if (known.find(path) == nullptr && !(is_directory && known.holds_left_out(path)))
            strange(path);
        else if (is_directory)
            look_into(path, known, strange);
    }
}

std::string difference(const Entry& was) {
    const auto seen = look_at(was.path);
    if (!seen)
        return fmt::format("{} is missing", was.path);
    const auto& now = seen->entry;
    if (now.kind != was.kind)
        return fmt::format("{} is of another kind", was.path);
    if (was.kind == EntryKind::file && now.size != was.size)
        return fmt::format("{} has {} bytes, not {}", was.path, now.size, was.size);
    if (was.kind == EntryKind::node && now.size != was.size)
        return fmt::format("{} is another device", was.path);
    if (was.kind == EntryKind::symlink && now.text != was.text)
        return fmt::format("{} leads to {}, not to {}", was.path, now.text, was.text);
    if (!same_attributes(was, now))
        return fmt::format("{} has another owner, mode, time or attribute", was.path);
    if (!was.same_as.empty()) {
        const auto other = look_at(was.same_as);
        if (!other || other->inode != seen->inode || other->device != seen->device)
            return fmt::format("{} is no longer the same file as {}", was.path, was.same_as);
        return {};
    }
    if (was.kind == EntryKind::file && sha256_of_file(was.path) != was.text)
        return fmt::format("{} has another content", was.path);
    return {};
}

} // namespace

Known::Known(const KeptFiles& kept) : kept_(kept) {
    for (const auto& entry : kept.entries)
        entries_.emplace(entry.path, &entry);
}

const Entry* Known::find(const std::string& path) const {
    const auto found = entries_.find(path);
    return found == entries_.end() ? nullptr : found->second;
}

bool Known::is_left_out(const std::string& path) const {
    return std::any_of(kept_.excluded.begin(), kept_.excluded.end(),
                       [&](const std::string& excluded) { return is_within(path, excluded); });
}

bool Known::holds_left_out(const std::string& directory) const {
    return std::any_of(kept_.excluded.begin(), kept_.excluded.end(),
                       [&](const std::string& excluded) { return is_within(excluded, directory); });
}

void for_each_strange(const KeptFiles& kept, const Known& known,
                      const std::function<void(const std::string& path)>& strange) {
    for (const auto& root : kept.trees)
        if (const auto seen = look_at(root); seen && seen->entry.kind == EntryKind::directory) {
            if (known.find(root) != nullptr)
                look_into(root, known, strange);
            else if (!known.is_left_out(root))
                strange(root);
        }
}

std::vector<std::string> differences(const KeptFiles& kept) {
    std::vector<std::string> found;
    for (const auto& entry : kept.entries)
        if (auto sentence = difference(entry); !sentence.empty())
            found.push_back(std::move(sentence));
    const Known known(kept);
    for (const auto& path : kept.absent)
        if (look_at(path) && !known.is_left_out(path) && !known.holds_left_out(path))
            found.push_back(path + " was not there");
    for_each_strange(kept, known, [&](const std::string& path) { found.push_back(path + " was not there"); });
    return found;
}

} // namespace um
