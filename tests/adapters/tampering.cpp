#include "adapters/tampering.hpp"

#include "system/media_directory.hpp"
#include "system/openssl/crypto.hpp"
#include "unit/fake_ports.hpp"

#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace um::test {
namespace {

/// Media as a release engineer keeps them. They are made once and copied for every case.
struct Genuine {
    Genuine() {
        std::mt19937 bytes(4711);
        std::string iso(1'300'123, '\0'); // several reads of the agent, the last one short
        for (auto& byte : iso)
            byte = static_cast<char>(bytes());
        directory.file(iso_name, iso);
        // As the vendor's media: OpenSSL's form of SHA-1, signed with SHA-1.
        const auto sum =
            shell("cd '" + directory.path() + "' && openssl dgst -sha1 '" + iso_name + "'").output;
        directory.file(stem_of_iso() + ".mf", sum);
        directory.file(stem_of_iso() + ".sign", tamper_keys().sign("signer", sum, "sha1"));
        directory.file(stem_of_iso() + ".crt", tamper_keys().pem("signer") + tamper_keys().pem("middle"));
    }
    static std::string stem_of_iso() { return iso_name.substr(0, iso_name.rfind('.')); }
    Scratch directory;
};

const Genuine& genuine() {
    static const Genuine made;
    return made;
}

/// Uses libcrypto, and lets something happen during and after the digest.
class WatchedCrypto final : public Crypto {
public:
    explicit WatchedCrypto(Media& media) : media_(media) {}
    Digests digest(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                   const OnProgress& on_progress) override {
        auto digests = real_.digest(media, algorithms, [&](std::uint64_t done, std::uint64_t total) {
            if (const auto happens = std::exchange(media_.during, nullptr))
                happens();
            on_progress(done, total);
        });
        if (media_.after)
            media_.after();
        return digests;
    }
    CertificateVerdict judge_certificate(const std::string& pem, const TrustPolicy& policy) override {
        return real_.judge_certificate(pem, policy);
    }
    DigestAlgorithm verify_signature(const std::string& message, const std::string& signature,
                                     const std::string& pem, const TrustPolicy& policy) override {
        return real_.verify_signature(message, signature, pem, policy);
    }
    CertificateNames certificate_names(const std::string& where, const std::string& host_name) override {
        return real_.certificate_names(where, host_name);
    }

private:
    Media& media_;
    OpensslCrypto real_;
};

bool of_the_media(std::string_view reason) {
    for (const std::string_view family : {"media.", "manifest.", "digest.", "signature.", "certificate."})
        if (reason.substr(0, family.size()) == family)
            return true;
    return false;
}

} // namespace

Media::Media() : stem(Genuine::stem_of_iso()) {
    for (const auto& name : names_in(genuine().directory.path()))
        std::filesystem::copy_file(genuine().directory / name, directory / name); // with its mode, 0600
    struct stat status {};
    EXPECT_EQ(::stat(iso().c_str(), &status), 0);
    inode_ = status.st_ino;
    config.media.search = {directory / "*.iso"};
    config.media.mount_point = mount_point;
    config.trust.anchors = tamper_keys().path("root.crt");
    config.snapshot.confirmation = Confirmation::assume;
}

Media::~Media() {
    if (in_the_end)
        in_the_end();
    for (const auto process : processes_)
        ::waitpid(process, nullptr, 0);
}

void Media::manifest(const std::string& text) {
    directory.file(stem + ".mf", text);
    sign();
}

void Media::signer(const std::string& key, const std::string& digest, const std::string& options) {
    signing_key = key;
    signing_digest = digest;
    signing_options = options;
    bundle({key, "middle"});
    sign();
}

void Media::sign() const {
    tamper_keys().openssl("dgst -" + signing_digest + " " + signing_options + " -sign " + signing_key +
                          ".key -out '" + path(".sign") + "' '" + path(".mf") + "'");
    ::chmod(path(".sign").c_str(), 0600);
}

void Media::bundle(const std::vector<std::string>& names) const {
    std::string pem;
    for (const auto& name : names)
        pem += tamper_keys().pem(name);
    directory.file(stem + ".crt", pem);
}

std::string Media::sum(const std::string& program) const {
    const auto output = shell(program + " < '" + iso() + "'").output;
    return output.substr(0, output.find(' '));
}

std::string Media::line(const std::string& program) const {
    return sum(program) + "  " + iso_name + "\n";
}

std::string Media::tagged(const std::string& tag) const {
    std::string program = tag + "sum";
    for (auto& c : program)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return tag + "(" + iso_name + ")= " + sum(program) + "\n";
}

void Media::meanwhile(const std::string& command) {
    const auto process = ::fork();
    if (process == 0) {
        ::execl("/bin/sh", "sh", "-c", ("cd '" + directory.path() + "' && " + command).c_str(), nullptr);
        ::_exit(127);
    }
    for (int tick = 0; tick < 1000; ++tick) {
        if (::waitpid(process, nullptr, WNOHANG) == process)
            return;
        if (held_up()) {
            processes_.push_back(process);
            return;
        }
        ::usleep(10'000);
    }
    processes_.push_back(process);
    ADD_FAILURE() << "neither done nor held up: " << command;
}

/// Whether a process waits until the agent gives up the ISO. Other programs hold leases of their own.
bool Media::held_up() const {
    std::ifstream locks("/proc/locks");
    const auto ours = ":" + std::to_string(inode_) + " ";
    for (std::string line; std::getline(locks, line);)
        if (line.find("LEASE  BREAKING") != std::string::npos && line.find(ours) != std::string::npos)
            return true;
    return false;
}

void Media::hold(const std::string& file, int flags) {
    held_.emplace_back(::open(file.c_str(), flags | O_CLOEXEC));
    EXPECT_TRUE(held_.back()) << file;
}

void PrintTo(const TamperCase& tampered, std::ostream* out) {
    *out << tampered.name;
}

Judgement judged_by_agent(Media& media) {
    ::setenv("JOURNAL_STREAM", journal_stream(STDOUT_FILENO).c_str(),
             1); // as under systemd, so the console stays silent
    Judgement judgement;
    const auto before = open_descriptors();
    {
        World world;
        if (media.at_mount)
            world.hooks["mount"] = media.at_mount;
        FileMedia files;
        WatchedCrypto crypto(media);
        FakeMounts mounts(world);
        FakeServices services(world, [] {});
        FakeAppliance appliance(world);
        FakeTerminal terminal(world);
        FakeJournal journal;
        FakeKeeper keeper(world);
        Ports ports{files, crypto, mounts, services, appliance, terminal, journal, keeper};
        Console console;
        Audit audit(journal, console);
        const StateFile store(media.directory / "state");
        Job job{media.config, ports, audit, console, store, media.directory / "snapshot.ini", ""};
        const auto result = check_procedure(job);
        for (const auto& finding : result.findings) {
            if (!of_the_media(word(finding.reason)))
                continue;
            auto& words =
                finding.severity == Finding::Severity::refusal ? judgement.refusals : judgement.warnings;
            words.emplace_back(word(finding.reason));
            judgement.messages += words.back() + ": " + finding.message + "\n";
        }
        judgement.failure = result.failure;
        judgement.mount_asked = world.called("mount");
        judgement.left_mounted = world.mounted.has_value();
    }
    judgement.descriptors_left = static_cast<long>(open_descriptors()) - static_cast<long>(before);
    judgement.accepted = judgement.mount_asked && judgement.refusals.empty() && judgement.failure.empty();
    ::unsetenv("JOURNAL_STREAM");
    return judgement;
}

ToolsJudgement judged_by_tools(const Media& media) {
    const auto& trust = media.config.trust;
    const Scratch key;
    std::string script =
        "cd '" + media.directory.path() + "'\nall=0\nrun() { echo \"+ $*\"; \"$@\" || all=1; }\n";
    for (const auto& program :
         media.sums) // with several forms each reads its own, and --strict fails on the others
        script += "run " + program + (media.sums.size() == 1 ? " --strict" : "") + " --check $X.mf\n";
    script += "run openssl verify -CAfile " + trust.anchors + " " + media.verify_options +
              (trust.crl.empty() ? "" : " -crl_check_all -CRLfile " + trust.crl) +
              " -untrusted $X.crt $X.crt\nrun openssl x509 -in $X.crt -pubkey -noout -out " + key / "public" +
              "\nrun openssl dgst -" + media.signing_digest + " " + media.signing_options + " -verify " +
              key / "public" + " -signature $X.sign $X.mf\nexit $all\n";
    const auto path = key.file("script", script);
    // Without a terminal no command can ask for a password.
    const auto result = shell("X=" + media.stem + " setsid --wait sh " + path + " < /dev/null");
    return {result.status == 0, result.output};
}

bool words_match(const std::string& expected, const std::vector<std::string>& words) {
    std::set<std::string> unexpected(words.begin(), words.end());
    std::istringstream groups(expected);
    for (std::string group; groups >> group;) {
        const bool optional = group.back() == '?';
        if (optional)
            group.pop_back();
        bool found = false;
        std::istringstream alternatives(group);
        for (std::string word; std::getline(alternatives, word, '|');)
            found = unexpected.erase(word) > 0 || found;
        if (!found && !optional)
            return false;
    }
    return unexpected.empty();
}

void flip(const std::string& path, Where where) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto size = static_cast<std::streamoff>(std::filesystem::file_size(path)); // may be gigabytes
    const auto byte_at = [&](std::streamoff at) { return file.seekg(at).get(); };
    auto at = where == Where::start ? 0 : where == Where::middle ? size / 2 : size - 1;
    if (where == Where::end && byte_at(at) == '\n')
        --at;
    const auto byte = byte_at(at);
    file.seekp(at).put(static_cast<char>(byte ^ 1));
    EXPECT_TRUE(file.flush()) << path;
}

void truncate_file(const std::string& path, std::size_t bytes_less) {
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - bytes_less);
}

void append(const std::string& path, const std::string& text) {
    EXPECT_TRUE(std::ofstream(path, std::ios::binary | std::ios::app) << text) << path;
}

} // namespace um::test
