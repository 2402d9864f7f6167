#include "upgrade/stages.hpp"

#include "upgrade/health.hpp"
#include "upgrade/preflight.hpp"
#include "upgrade/product.hpp"
#include "upgrade/version.hpp"

#include <algorithm>

namespace um::stages {
namespace {

constexpr std::chrono::seconds command_limit{120};

bool is_device(const std::string& path) {
    return path.rfind("/dev/", 0) == 0;
}

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
    const auto patterns =
        job.only_media.empty() ? job.config.media.search : std::vector<std::string>{job.only_media};
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
    media.sidecars = directory + media.name.stem;
    return media;
}

std::string sidecar(Job& job, const std::string& extension) {
    const auto path = job.media->sidecars + extension;
    if (auto text = job.ports.media.read_sidecar(path))
        return *text;
    throw Failure(Reason::media_sidecar_missing, fmt::format("'{}' is missing", path),
                  "download it from where the ISO came from and put it beside the others");
}

/// Steps 2.2 and 2.3: the certificate up to an anchor, and its signature over the manifest.
void check_signature(Job& job, const std::string& manifest) {
    const auto& trust = job.config.trust;
    const TrustPolicy policy{trust.anchors, trust.signer, trust.crl, trust.expired == Policy::accept,
                             trust.sha1 == Policy::accept};
    const auto certificate = sidecar(job, ".crt");
    const auto signature = sidecar(job, ".sign");
    auto verdict = job.ports.crypto.judge_certificate(certificate, policy);
    job.findings.insert(job.findings.end(), verdict.findings.begin(), verdict.findings.end());
    job.signer = verdict.signer;
    if (!verdict.signer)
        return;
    job.state.signer = verdict.signer->subject;
    const auto algorithm = job.ports.crypto.verify_signature(manifest, signature, certificate, policy);
    if (algorithm == DigestAlgorithm::sha1)
        job.findings.push_back({Finding::Severity::warning, Reason::digest_weak,
                                "the manifest is signed with SHA-1, as the vendor's 4.7 media are", ""});
}

void check_digest(Job& job, const std::string& manifest) {
    const auto expected = digests_for(parse_manifest(manifest), job.media->name.iso());
    const bool weak = expected.rbegin()->first == DigestAlgorithm::sha1;
    if (weak && job.config.trust.sha1 == Policy::refuse)
        throw Failure(Reason::digest_weak,
                      "the manifest gives a SHA-1 digest alone, and [trust] sha1 = refuse",
                      "ask the vendor for media with a SHA-256 manifest");
    std::vector<DigestAlgorithm> algorithms{DigestAlgorithm::sha256}; // always, for the audit
    for (const auto& [algorithm, digest] : expected)
        if (algorithm != DigestAlgorithm::sha256)
            algorithms.push_back(algorithm);
    const auto started = job.ports.appliance.uptime();
    auto spoken = std::chrono::microseconds(0);
    const auto digests =
        job.ports.crypto.digest(job.media->iso, algorithms, [&](std::uint64_t done, std::uint64_t total) {
            const auto elapsed = job.ports.appliance.uptime() - started;
            if (elapsed - spoken < std::chrono::milliseconds(500) || done == 0)
                return;
            spoken = elapsed;
            const auto seconds = static_cast<double>(elapsed.count()) / 1e6;
            const auto rate = static_cast<double>(done) / seconds;
            job.audit.progress(fmt::format("authenticate: {} of {} ({} %), {}/s, {:.0f} s left",
                                           human_size(done), human_size(total), done * 100 / total,
                                           human_size(static_cast<std::uint64_t>(rate)),
                                           static_cast<double>(total - done) / rate));
        });
    job.state.media_sha256 = digests.at(DigestAlgorithm::sha256);
    for (const auto& [algorithm, digest] : expected)
        if (digests.at(algorithm) != digest)
            throw Failure(Reason::manifest_mismatch,
                          fmt::format("the ISO's {} is {}, the manifest says {}", name(algorithm),
                                      digests.at(algorithm), digest),
                          "the ISO is damaged or is not the one the manifest belongs to; download it again");
    if (weak)
        job.findings.push_back({Finding::Severity::warning, Reason::digest_weak,
                                "the manifest gives a SHA-1 digest alone, as the vendor's 4.7 media do", ""});
}

/// A failure of one part must not hide what the others have to say.
template <class Check>
void collect(Job& job, Check check) {
    try {
        check();
    } catch (const Failure& failure) {
        job.findings.push_back(failure.finding());
    }
}

/// The person's answer; nothing when nobody is there to be asked.
std::optional<bool> ask(Job& job, const std::string& question) {
    return job.may_ask ? job.console.ask(question) : std::nullopt;
}

/// Precondition 2 of the procedure; after the boot again, because an update of the OS can reset it.
void ensure_sshd(Job& job) {
    if (!job.config.sshd.manage)
        return;
    auto& services = job.ports.services;
    const auto& unit = job.config.sshd.unit;
    const auto before = services.status(unit);
    if (before.masked || !before.loaded)
        throw Failure(Reason::sshd_unmanageable,
                      fmt::format("{} is {}", unit, before.masked ? "masked" : "not installed"),
                      "unmask or install it, correct [sshd] unit, or set [sshd] manage = no");
    try {
        if (before.enablement == "disabled" || before.enablement == "enabled-runtime")
            services.enable(unit);
        if (before.active != "active")
            services.start(unit);
    } catch (const SystemFailure& failure) {
        throw Failure(Reason::sshd_unmanageable, failure.what(),
                      fmt::format("look at 'systemctl status {}', or set [sshd] manage = no", unit));
    }
    job.note += fmt::format("{} was {} and {}", unit, before.enablement, before.active);
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
    job.state.media = media.name.iso();
    job.state.to_version = media.name.version;
    const auto installed = installed_product(job.ports.appliance, job.config).version;
    job.state.from_version = installed.value_or("");
    if (installed && compare_versions(media.name.version, *installed) == 0) {
        job.note = fmt::format("{} holds {}, which is installed", path, *installed);
        return Next::nothing_to_do;
    }
    media.iso = job.ports.media.open(path);
    job.note = fmt::format("found {} ({})", path, human_size(media.iso.size));
    job.media = std::move(media);
    return Next::stage;
}

Next authenticate(Job& job) {
    const auto manifest = sidecar(job, ".mf");
    if (job.config.trust.require == Require::signature)
        collect(job, [&] { check_signature(job, manifest); });
    collect(job, [&] { check_digest(job, manifest); });
    job.note =
        fmt::format("genuine: {}, SHA-256 {}",
                    job.state.signer.empty() ? "digest alone, by policy" : "signed by " + job.state.signer,
                    job.state.media_sha256);
    return Next::stage;
}

Next mount(Job& job) {
    auto& ports = job.ports;
    const auto& target = job.config.media.mount_point;
    ports.media.expect_unchanged(job.media->iso);
    if (ports.mounts.device_at(target)) {
        ports.mounts.adopt(target).reset(); // what a killed run left behind
        job.note = "unmounted what stood there; ";
    }
    job.mounted = ports.mounts.mount(job.media->iso, target);
    job.state.mount_device = job.mounted->device();
    if (!ports.appliance.file_exists(target + "/" + job.config.apply.script))
        throw Failure(Reason::media_content, fmt::format("the medium holds no '{}'", job.config.apply.script),
                      "this is no upgrade ISO that um-upgrade can apply");
    job.note += fmt::format("mounted on {}, read-only", target);
    return Next::stage;
}

Next preflight(Job& job) {
    auto& appliance = job.ports.appliance;
    Facts facts;
    const auto product = installed_product(appliance, job.config);
    facts.installed_version = product.version;
    facts.version_output = product.said;
    facts.now = appliance.now();
    for (const auto* path : {"/", "/boot", "/var"})
        facts.space.push_back(appliance.space(path));
    collect(job, [&] { facts.snapshot = load_confirmation(job.confirmation); });
    const bool confirmed_now = !facts.snapshot &&
                               job.config.snapshot.confirmation == Confirmation::required &&
                               facts.installed_version &&
                               ask(job, "Is a snapshot of the vCloud Usage Meter appliance virtual machine "
                                        "created in the running vCenter "
                                        "Server environment? (y/n):")
                                   .value_or(false);
    if (confirmed_now) {
        facts.snapshot =
            SnapshotConfirmation{"confirmed at the terminal", appliance.operator_name(),
                                 *facts.installed_version, facts.now, facts.now + std::chrono::hours(24)};
        save_confirmation(job.confirmation, *facts.snapshot);
        job.audit.event(
            EventKind::snapshot_confirmed, job.state,
            {.message = fmt::format("{} confirmed a snapshot at the terminal", facts.snapshot->by)});
    }
    const auto found = um::preflight(facts, {job.media->name.version, job.media->iso.size}, job.config);
    job.findings.insert(job.findings.end(), found.begin(), found.end());
    if (job.config.snapshot.confirmation == Confirmation::assume)
        job.note = "a snapshot is assumed, by policy";
    else if (facts.snapshot)
        job.note = fmt::format("snapshot '{}' confirmed by {} at {}", facts.snapshot->name,
                               facts.snapshot->by, iso8601(facts.snapshot->confirmed));
    return Next::stage;
}

Next prepare(Job& job) {
    // A kernel package replaced during the change takes the running kernel's modules away: what the medium
    // needs must be in the kernel before.
    const auto loaded = job.ports.appliance.run({"modprobe", "--all", "loop", "isofs"}, "", command_limit);
    if (loaded.status != 0)
        job.findings.push_back(
            {Finding::Severity::warning, Reason::media_filesystem,
             fmt::format("modprobe loop isofs: {}, ignoring: the medium is mounted already", loaded.output),
             ""});
    ensure_sshd(job);
    return Next::stage;
}

void await_change(Job& job) {
    job.ports.services.run_to_end(apply_unit, [&](const std::string& text) { job.audit.progress(text); });
    const auto state = job.store.load();
    if (!state || state->id != job.state.id)
        throw Failure(Reason::state_damaged, fmt::format("{} changed during the upgrade", job.store.path()),
                      "look at 'journalctl -t um-upgrade'");
    job.state = *state;
}

Next apply(Job& job) {
    auto& ports = job.ports;
    if (job.mounted)
        job.mounted->leave(); // it is the apply unit's now, whatever becomes of this process
    job.mounted.reset();
    if (job.state.change == Change::none)
        await_change(job); // which starts it, too
    ports.mounts.adopt(job.config.media.mount_point).reset();
    job.media.reset();
    switch (job.state.change) {
    case Change::done:
        break;
    case Change::failed:
        throw Failure(job.state.reason.value_or(Reason::script_failed), job.state.message, job.state.hint);
    case Change::begun:
        throw Failure(Reason::interrupted, fmt::format("{} ended before the change was complete", apply_unit),
                      fmt::format("look at 'journalctl -u {}' and {}; the snapshot is the way back",
                                  apply_unit, job.config.log.file));
    case Change::none:
        if (job.state.reason)
            throw Failure(*job.state.reason, job.state.message, job.state.hint);
        throw Failure(Reason::script_failed, fmt::format("{} did not start", apply_unit),
                      fmt::format("look at 'systemctl status {}'", apply_unit));
    }
    job.note = fmt::format("{} installed", job.state.to_version);
    return Next::stage;
}

Next reboot(Job& job) {
    const auto& reboot = job.config.reboot;
    const bool now = reboot.policy == RebootPolicy::now &&
                     ask(job, "Reboot is recommended after an upgrade. Reboot now? (y/n)").value_or(true);
    // The media can hold an update of the OS that resets which units are enabled.
    if (job.ports.services.status(verify_unit).enablement == "disabled")
        job.ports.services.enable(verify_unit);
    job.ports.appliance.sync({"/", "/boot", "/var", "/opt"});
    std::string message = "reboot requested";
    if (reboot.policy == RebootPolicy::notice)
        message = fmt::format("reboot in {} s", reboot.notice.count());
    else if (!now)
        message = "the reboot is left to the operator: run 'reboot'";
    job.audit.event(EventKind::reboot_requested, job.state, {.message = message, .stage = Stage::reboot});
    if (reboot.policy == RebootPolicy::notice)
        job.ports.services.schedule_reboot(reboot.notice);
    else if (now)
        job.ports.services.reboot();
    return Next::wait_for_boot;
}

namespace {

/// What the machine cannot answer is no health, and may settle: it is an answer here, not an exception.
Health look(Job& job) {
    auto& ports = job.ports;
    Health health;
    health.version = installed_product(ports.appliance, job.config).version;
    health.product_in_place = ports.appliance.directory_exists(product_directory);
    for (const auto& unit : job.config.verify.units) {
        try {
            health.units.emplace_back(unit, ports.services.status(unit).active);
        } catch (const SystemFailure& failure) {
            health.units.emplace_back(unit, fmt::format("unknown ({})", failure.what()));
        }
    }
    try {
        const auto status =
            ports.appliance.run({"/bin/bash", job.config.verify.status_command}, job.config.verify.run_as,
                                std::min(job.config.verify.deadline, command_limit));
        health.status_output = status.output;
        health.status_exit = status.status;
        health.status_timed_out = status.timed_out;
    } catch (const SystemFailure& failure) {
        health.status_output = failure.what();
        health.status_exit = -1;
    }
    return health;
}

} // namespace

Next verify(Job& job) {
    auto& appliance = job.ports.appliance;
    const auto deadline = appliance.uptime() + job.config.verify.deadline;
    auto findings = judge_health(look(job), job.state.to_version, job.config.log.file);
    while (may_settle(findings) && appliance.uptime() < deadline &&
           std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
               return finding.severity == Finding::Severity::refusal;
           })) {
        job.audit.progress(fmt::format("verify: waiting, {}", findings.front().message));
        appliance.sleep(std::chrono::seconds(2));
        findings = judge_health(look(job), job.state.to_version, job.config.log.file);
    }
    job.findings.insert(job.findings.end(), findings.begin(), findings.end());
    collect(job, [&] { ensure_sshd(job); });
    job.note = fmt::format("version {}, units active, status.sh Running; {}", job.state.to_version, job.note);
    return Next::stage;
}

} // namespace um::stages
