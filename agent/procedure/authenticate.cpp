// The stages that look for media, decide whether they are genuine, and mount them.

#include "system/keeping/file_status.hpp"
#include "change/change.hpp"
#include "media/content.hpp"
#include "checks/preflight.hpp"
#include "checks/product.hpp"
#include "procedure/stages.hpp"
#include "base/version.hpp"

#include <algorithm>

namespace um::stages {
namespace {

/// A drive's medium has no file name: its sidecars in the media directory tell which one it is.
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

/// Path of the one candidate; empty when there is none.
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

/// A change that was cut off is made again with the media that it was begun with, or not at all.
Failure other_media(const Job& job, const std::string& found) {
    return {Reason::media_changed,
            fmt::format("the change was begun with {} and was cut off; what is here now is {}",
                        job.state.media, found),
            "put those media in place again; or the snapshot is the way back"};
}

/// What an earlier start or a person left mounted may hold the ISO open for writing.
bool clear_mount_point(Job& job) {
    try {
        return job.ports.mounts.clear(job.config.media.mount_point);
    } catch (const Failure&) {
        return false; // the mount stage will say so, and others have their say before, ignoring
    }
}

/// Nothing, and a finding, when it cannot be had: what the other sidecars have to say is worth hearing.
std::optional<std::string> sidecar(Job& job, const std::string& extension) {
    std::optional<std::string> text;
    collect(job, [&] {
        const auto path = job.media->sidecars + extension;
        text = job.ports.media.read_sidecar(path);
        if (!text)
            throw Failure(Reason::media_sidecar_missing, fmt::format("'{}' is missing", path),
                          "download it from where the ISO came from and put it beside the others");
    });
    return text;
}

/// Steps 2.2 and 2.3: the certificate up to an anchor, and its signature over the manifest.
void check_signature(Job& job, const std::optional<std::string>& manifest) {
    const auto& trust = job.config.trust;
    const TrustPolicy policy{trust.anchors, trust.signers, trust.crl, trust.expired == Policy::accept,
                             trust.sha1 == Policy::accept};
    const auto certificate = sidecar(job, ".crt");
    const auto signature = sidecar(job, ".sign");
    if (!certificate)
        return;
    auto verdict = job.ports.crypto.judge_certificate(*certificate, policy);
    job.findings.insert(job.findings.end(), verdict.findings.begin(), verdict.findings.end());
    job.signer = verdict.signer;
    if (!verdict.signer || !manifest || !signature)
        return;
    const auto algorithm = job.ports.crypto.verify_signature(*manifest, *signature, *certificate, policy);
    if (algorithm == DigestAlgorithm::sha1)
        job.findings.push_back({Finding::Severity::warning, Reason::digest_weak,
                                "the manifest is signed with SHA-1, as the vendor's 4.7 media are", ""});
    if (std::none_of(verdict.findings.begin(), verdict.findings.end(), is_refusal))
        job.state.signer = verdict.signer->subject; // until then it is a stranger's claim
}

/// Says how far a long reading is, twice a second.
OnProgress tell_progress(Job& job) {
    const auto started = job.ports.appliance.uptime();
    return [&job, started, spoken = std::chrono::microseconds(0)](std::uint64_t done,
                                                                  std::uint64_t total) mutable {
        const auto elapsed = job.ports.appliance.uptime() - started;
        if (elapsed - spoken < std::chrono::milliseconds(500) || done == 0)
            return;
        spoken = elapsed;
        const auto rate = static_cast<double>(done) / (static_cast<double>(elapsed.count()) / 1e6);
        job.audit.progress(fmt::format("authenticate: {} of {} ({} %), {}/s, {:.0f} s left", human_size(done),
                                       human_size(total), done * 100 / total,
                                       human_size(static_cast<std::uint64_t>(rate)),
                                       static_cast<double>(total - done) / rate));
    };
}

/// Step 2.1. SHA-256 is computed in any case, for the audit.
void check_digest(Job& job, const std::string& manifest) {
    const auto expected = digests_for(parse_manifest(manifest), job.media->name.iso());
    const bool weak = expected.rbegin()->first == DigestAlgorithm::sha1;
    if (weak && job.config.trust.sha1 == Policy::refuse)
        throw Failure(Reason::digest_weak,
                      "the manifest gives a SHA-1 digest alone, and [trust] sha1 = refuse",
                      "ask the vendor for media with a SHA-256 manifest");
    std::vector<DigestAlgorithm> algorithms{DigestAlgorithm::sha256};
    for (const auto& [algorithm, digest] : expected)
        if (algorithm != DigestAlgorithm::sha256)
            algorithms.push_back(algorithm);
    job.digests = job.ports.crypto.digest(job.media->iso, algorithms, tell_progress(job));
    job.state.media_sha256 = job.digests.at(DigestAlgorithm::sha256);
    for (const auto& [algorithm, digest] : expected)
        if (job.digests.at(algorithm) != digest)
            throw Failure(Reason::manifest_mismatch,
                          fmt::format("the ISO's {} is {}, the manifest says {}", name(algorithm),
                                      job.digests.at(algorithm), digest),
                          "the ISO is damaged or is not the one the manifest belongs to; download it again");
    if (weak)
        job.findings.push_back({Finding::Severity::warning, Reason::digest_weak,
                                "the manifest gives a SHA-1 digest alone, as the vendor's 4.7 media do", ""});
}

} // namespace

namespace {

/// Of an upgrade that these media failed in and that was taken back; nothing where there is none. Whoever
/// could exchange a manifest gains nothing but that nothing is done.
std::optional<State> taken_back_before(Job& job, const MediaSet& media) {
    if (job.may_ask || !job.only_media.empty() || job.state.cut_off())
        return std::nullopt; // somebody asks for it
    try {
        for (auto& state : job.store.closed()) {
            if (state.outcome != Outcome::rolled_back)
                continue;
            const auto manifest = job.ports.media.read_sidecar(media.sidecars + ".mf");
            if (manifest && state.manifest == sha256_of(*manifest))
                return state;
        }
    } catch (const Failure&) { // ignoring: what is wrong with the sidecar is told in its place
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
    // A change that was cut off may have come as far as the product itself, and not to the end.
    if (!job.state.cut_off() && installed && compare_versions(media.name.version, *installed) == 0) {
        job.note = fmt::format("{} holds {}, which is installed", path, *installed);
        return Next::nothing_to_do;
    }
    // Where the unit is enabled, each boot would make the same change, and two more would take it back.
    if (const auto before = taken_back_before(job, media)) {
        job.note =
            fmt::format("{} was installed by upgrade {} and taken back ({}); when that is settled, look with "
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

Next authenticate(Job& job) {
    const auto begun_with = job.state.cut_off() ? job.state.media_sha256 : "";
    job.state.signer.clear(); // of an attempt before
    job.state.media_sha256.clear();
    const auto manifest = sidecar(job, ".mf");
    job.state.manifest = manifest ? sha256_of(*manifest) : "";
    if (job.config.trust.require == Require::signature)
        collect(job, [&] { check_signature(job, manifest); });
    if (manifest)
        collect(job, [&] {
            check_digest(job, *manifest);
            if (!begun_with.empty() && begun_with != job.state.media_sha256)
                throw other_media(job, "another ISO of that name");
        });
    job.note =
        fmt::format("genuine: {}, SHA-256 {}",
                    job.state.signer.empty() ? "digest alone, by policy" : "signed by " + job.state.signer,
                    job.state.media_sha256);
    return Next::stage;
}

Next mount(Job& job) {
    auto& ports = job.ports;
    const auto& target = job.config.media.mount_point;
    ports.mounts.clear(target);
    ports.media.expect_unchanged(job.media->iso);
    job.mounted = ports.mounts.mount(job.media->iso, target);
    ports.media.expect_unchanged(job.media->iso);
    job.state.mount_device = job.mounted->device();
    const auto content = content_of(ports, job.config);
    const auto method = method_of(job, content);
    if (job.state.cut_off() && !may_go_on(job, content))
        throw Failure(
            Reason::interrupted,
            fmt::format("the change was cut off, and the media do not declare that '{}' may run again",
                        job.config.apply.script),
            fmt::format("look at {}; the snapshot is the way back", job.config.log.file));
    job.note += fmt::format("mounted on {}, read-only; the change is made by {}", target,
                            method == Method::script ? job.config.apply.script : "the package manager");
    return Next::stage;
}

} // namespace um::stages
