#include "procedure/find.hpp"

#include "base/path.hpp"
#include "base/sha256.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "checks/product.hpp"
#include "procedure/other_media.hpp"

#include <algorithm>

namespace um::stages {
namespace {

/// A medium in a drive has no file name. Its sidecars in the media directory show which one it is.
std::string sidecar_directory(const Config& config) {
    const auto& search = config.media.search;
    const auto found = std::find_if_not(search.begin(), search.end(), is_device);
    return found == search.end() ? "/var/lib/um-upgrade/media/" : directory_of(*found);
}

std::string only_one(const std::vector<std::string>& paths, const std::string& what) {
    if (paths.size() > 1)
        throw Failure(Reason::media_ambiguous,
                      fmt::format("there is more than one {}: {} and {}", what, paths[0], paths[1]),
                      "leave only the media of this upgrade there");
    return paths.front();
}

MediaName known_name(const std::string& path, const Config& config) {
    const auto name = parse_media_name(base_name(path), config.product.name);
    if (!name)
        throw Failure(
            Reason::media_name, fmt::format("'{}' is not named like an upgrade of this product", path),
            fmt::format("keep the vendor's file name: {}-VERSION-BUILD_Upgrade.iso", config.product.name));
    return *name;
}

/// The path of the one candidate; empty if there is none.
std::string search(Job& job) {
    const auto patterns = job.only_media.empty() ? job.config.media.search
                                                 : std::vector<std::string>{literally(job.only_media)};
    for (const auto& pattern : patterns)
        if (const auto paths = job.ports.media.matches(pattern); !paths.empty())
            return only_one(paths, "ISO");
    if (!job.only_media.empty())
        throw Failure(Reason::media_none,
                      fmt::format("'{}' is not there, or no medium is in the drive", job.only_media),
                      "name an upgrade ISO, or a CD-ROM drive that holds one");
    return {};
}

MediaSet name_media(Job& job, const std::string& path) {
    MediaSet media;
    if (!is_device(path)) {
        media.name = known_name(path, job.config);
        media.sidecars = directory_of(path) + media.name.stem;
        return media;
    }
    const auto directory = sidecar_directory(job.config);
    const auto manifests =
        job.ports.media.matches(fmt::format("{}{}-*_Upgrade.mf", directory, job.config.product.name));
    if (manifests.empty())
        throw Failure(Reason::media_sidecar_missing,
                      fmt::format("a medium is in {}, but no {}-…_Upgrade.mf in {} tells what it is", path,
                                  job.config.product.name, directory),
                      fmt::format("copy the medium's .mf, .crt and .sign to {}, or eject it", directory));
    media.name = known_name(only_one(manifests, "manifest"), job.config);
    media.sidecars = directory_of(manifests.front()) + media.name.stem;
    return media;
}

/// A mount that an earlier start or a person left may hold the ISO open for writing.
bool clear_mount_point(Job& job) {
    try {
        return job.ports.mounts.clear(job.config.media.mount_point);
    } catch (const Failure&) {
        return false; // ignoring: the mount stage reports it, after the stages before it
    }
}

/// The record of an upgrade by these media that was rolled back; nothing if there is none. The manifest is
/// not authenticated yet, but an attacker could only achieve that nothing is done.
std::optional<State> rolled_back_before(Job& job, const MediaSet& media) {
    if (job.may_ask || !job.only_media.empty() || job.state.cut_off())
        return std::nullopt; // a person asks for these media, or the change must be completed
    try {
        for (auto& state : job.store.closed()) {
            if (state.outcome != Outcome::rolled_back)
                continue;
            const auto manifest = job.ports.media.read_sidecar(media.sidecars + ".mf");
            if (manifest && state.manifest == sha256_of(*manifest))
                return state;
        }
    } catch (const Failure&) { // ignoring: the authenticate stage reports what is wrong with a sidecar
    }
    return std::nullopt;
}

} // namespace

Next find(Job& job) {
    const auto path = search(job);
    if (path.empty()) {
        job.note = "no media";
        for (const auto& pattern : job.config.media.search)
            job.note += fmt::format("{} {}", job.note == "no media" ? " in" : ",", pattern);
        return Next::nothing_to_do;
    }
    auto media = name_media(job, path);
    if (job.state.cut_off() && media.name.iso() != job.state.media)
        throw other_media(job, media.name.iso());
    job.state.media = media.name.iso();
    job.state.to_version = media.name.version;
    const auto installed = installed_product(job.ports.appliance, job.config).version;
    if (!job.state.cut_off())
        job.state.from_version = installed.value_or("");
    // A change that was cut off may have installed the product itself without being complete.
    if (!job.state.cut_off() && installed && compare_versions(media.name.version, *installed) == 0) {
        job.note = fmt::format("{} holds {}, which is installed", path, *installed);
        return Next::nothing_to_do;
    }
    // If the unit is enabled, a boot would make the same change again, and two more boots would roll it back.
    if (const auto before = rolled_back_before(job, media)) {
        job.note = fmt::format(
            "{} was installed by upgrade {} and rolled back ({}); when you have fixed the cause, check with "
            "'um-upgrade check --media {}', then 'um-upgrade run' at a terminal",
            path, before->id, before->reason ? word(*before->reason) : "by hand", path);
        return Next::nothing_to_do;
    }
    const bool cleared = clear_mount_point(job);
    media.iso = job.ports.media.open(path);
    job.note = fmt::format("found {} ({}){}", path, human_size(media.iso.size),
                           cleared ? "; unmounted what an earlier start left" : "");
    job.media = std::move(media);
    return Next::stage;
}

} // namespace um::stages
