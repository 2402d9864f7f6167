#include "procedure/authenticate.hpp"

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "media/manifest.hpp"
#include "procedure/other_media.hpp"

#include <algorithm>

namespace um::stages {
namespace {

/// Returns nothing and adds a finding if the sidecar cannot be read, because the other sidecars are worth
/// checking too.
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

/// Steps 2.2 and 2.3. Checks the certificate up to an anchor, and its signature over the manifest.
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
        job.findings.push_back(warning(
            {Reason::digest_weak, "the manifest is signed with SHA-1, as the vendor's 4.7 media are", ""}));
    if (std::none_of(verdict.findings.begin(), verdict.findings.end(), is_refusal))
        job.state.signer = verdict.signer->subject; // before that, the name is only a claim
}

/// Reports the progress of a long read, twice a second.
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

/// Step 2.1. SHA-256 is always computed, for the audit.
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
        job.findings.push_back(
            warning({Reason::digest_weak,
                     "the manifest gives a SHA-1 digest alone, as the vendor's 4.7 media do", ""}));
}

} // namespace

Next authenticate(Job& job) {
    const auto begun_with = job.state.cut_off() ? job.state.media_sha256 : "";
    job.state.signer.clear(); // left by an earlier attempt
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

} // namespace um::stages
