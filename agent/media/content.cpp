#include "media/content.hpp"

#include "base/file.hpp"
#include "base/ini.hpp"
#include "base/path.hpp"

#include <algorithm>

namespace um {
namespace {

bool declares_repeatable(const std::string& path) {
    try {
        const auto text = read_file_if_there(path, record_limit);
        const auto entries = parse_ini(text.value_or(""));
        return std::any_of(entries.begin(), entries.end(), [](const IniEntry& entry) {
            return entry.section == "script" && entry.name == "repeat" && entry.value == "safe";
        });
    } catch (const std::runtime_error&) {
        return false; // ignoring: a file that cannot be read declares nothing
    }
}

/// Source packages have the same ending as others, but nothing in them can be installed.
bool is_source(const std::string& file) {
    return file.ends_with(".src.rpm") || file.ends_with(".nosrc.rpm");
}

std::vector<std::string> find_packages(MediaDirectory& media, const std::string& repository) {
    std::vector<std::string> files;
    for (const auto* below : {"", "/*", "/*/*"})
        for (auto& file : media.matches(fmt::format("{}{}/*.rpm", literally(repository), below)))
            if (!is_source(file))
                files.push_back(std::move(file));
    return files;
}

} // namespace

Content read_content(Ports& ports, const Config& config) {
    constexpr std::string_view metadata = "/repodata/repomd.xml";
    const auto& root = config.media.mount_point;
    Content content;
    const auto script = root + "/" + config.apply.script;
    content.script = ports.appliance.is_plain_file(script);
    content.strange_script = !content.script && !ports.media.matches(literally(script)).empty();
    content.repeatable = content.script && declares_repeatable(root + "/" + declaration_file);
    for (const auto* place : {"", "/*"})
        for (const auto& path : ports.media.matches(fmt::format("{}{}{}", literally(root), place, metadata)))
            if (content.repository.empty())
                content.repository = path.substr(0, path.size() - metadata.size());
    if (!content.repository.empty())
        content.package_files = find_packages(ports.media, content.repository);
    return content;
}

std::string_view word(Method method) {
    return method == Method::automatic ? "auto" : method == Method::script ? "script" : "packages";
}

Method method_for(const Content& content, const Config& config) {
    constexpr auto hint = "this is no upgrade ISO that um-upgrade can apply; check where it came from";
    const auto& script = config.apply.script;
    if (content.strange_script)
        throw Failure(Reason::media_content, fmt::format("'{}' on the medium is no plain file", script),
                      hint);
    if (content.script && config.apply.method != Method::packages)
        return Method::script;
    if (!content.repository.empty() && config.apply.method != Method::script)
        return Method::packages;
    if (!content.script && content.repository.empty())
        throw Failure(Reason::media_content,
                      fmt::format("the medium holds neither '{}' nor a package repository", script), hint);
    throw Failure(Reason::media_content,
                  content.script
                      ? "the medium holds no package repository, and [apply] method = packages"
                      : fmt::format("the medium holds no '{}', and [apply] method = script", script),
                  "set [apply] method = auto");
}

} // namespace um
