#pragma once
// The configuration: INI files and drop-ins become validated values. The defaults here are the shipped ones;
// a test compares them with etc/um-upgrade.conf.

#include <chrono>
#include <string>
#include <vector>

namespace um {

enum class Policy { refuse, accept };
enum class Require { signature, digest };
enum class Confirmation { required, assume };
/// What happens when the host name is not the certificate's.
enum class Mismatch { refuse, warn };
/// What makes the change: the media's script, or the appliance's package manager with the media's packages.
enum class Method { automatic, script, packages };
enum class OnInterruption { resume, stop };
enum class RebootPolicy { now, notice, manual };
/// Whether the old system is kept, and whether the agent or a person rolls a failed upgrade back.
enum class RollbackMode { automatic, offer, off };

/// The operator's own answer to a question of the media's script.
struct PromptRule {
    std::string name;  ///< X of [prompt.X]
    std::string match; ///< extended regular expression (regex(7)); case is ignored
    std::string answer;
    bool operator==(const PromptRule&) const = default;
};

struct Config {
    struct Media {
        std::vector<std::string> search{"/var/lib/um-upgrade/media/*.iso", "/dev/cdrom"};
        std::string mount_point = "/root/upgrade";
        bool operator==(const Media&) const = default;
    } media;
    struct Trust {
        Require require = Require::signature;
        std::string anchors = "/etc/um-upgrade/trust.d";
        std::vector<std::string> signers; ///< the key's name is `signer`
        Policy sha1 = Policy::accept;
        Policy expired = Policy::refuse;
        std::string crl;
        bool operator==(const Trust&) const = default;
    } trust;
    struct Product {
        std::string name = "Usage_Meter_Agent";
        std::vector<std::string> version_command{"rpm", "-q", "--qf", "%{VERSION}", "cloudusagemetering"};
        std::string minimum_source = "4.3";
        bool operator==(const Product&) const = default;
    } product;
    struct Snapshot {
        Confirmation confirmation = Confirmation::required;
        bool operator==(const Snapshot&) const = default;
    } snapshot;
    struct Hostname {
        Mismatch mismatch = Mismatch::refuse;
        std::string certificate = "tls://localhost:443"; ///< tls://HOST:PORT, or the path of a PEM file
        bool operator==(const Hostname&) const = default;
    } hostname;
    struct Sshd {
        bool manage = true;
        std::string unit = "sshd.service";
        bool operator==(const Sshd&) const = default;
    } sshd;
    struct Apply {
        Method method = Method::automatic;
        std::string script = "upgrade-um.sh";
        std::chrono::seconds stall_timeout{30 * 60};
        OnInterruption interrupted = OnInterruption::resume;
        bool operator==(const Apply&) const = default;
    } apply;
    std::vector<PromptRule> prompts;
    struct Reboot {
        RebootPolicy policy = RebootPolicy::now;
        std::chrono::seconds notice{5 * 60};
        bool operator==(const Reboot&) const = default;
    } reboot;
    struct Verify {
        std::vector<std::string> units{"vmware-um-login.service", "vmware-um-journal.service"};
        std::string status_command = "/opt/vmware/cloudusagemetering/scripts/status.sh";
        std::string run_as = "usagemeter";
        std::chrono::seconds deadline{10 * 60};
        bool operator==(const Verify&) const = default;
    } verify;
    struct Rollback {
        RollbackMode mode = RollbackMode::automatic;
        std::vector<std::string> protect{"/etc", "/boot", "/opt/vmware"};
        std::vector<std::string> data;
        std::chrono::seconds keep{7 * 24 * 3600};
        bool operator==(const Rollback&) const = default;
    } rollback;
    struct Log {
        std::string file = "/opt/vmware/var/logs/um-upgrade.log";
        bool operator==(const Log&) const = default;
    } log;

    bool operator==(const Config&) const = default;
};

/// Sets in `config` what is in one file's text. Throws ConfigError, which names `file`, the line, and what
/// would be right.
void merge_config(Config& config, const std::string& text, const std::string& file);

/// Reads the shipped file, then the operator's file and drop-ins. If `only` is not empty, that file replaces
/// the operator's. Later files win, key by key. Throws ConfigError, also for a file that users other than
/// root could change, and when `only` does not exist.
Config load_config(const std::string& only);

} // namespace um
