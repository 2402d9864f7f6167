// Runs the agent's own stages `find` and `authenticate`, with its own adapters, on one ISO.
// tests/bench/authenticate measures it.

#include "procedure/authenticate.hpp"
#include "procedure/find.hpp"
#include "system/appliance.hpp"
#include "system/keeping/file_keeper.hpp"
#include "system/libmount_mounts.hpp"
#include "system/media_directory.hpp"
#include "system/openssl/crypto.hpp"
#include "system/pty_terminal.hpp"
#include "system/systemd/journal.hpp"
#include "system/systemd/services.hpp"
#include "upgrade/state_file.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>

using namespace um;

namespace {

bool is_genuine(const std::string& iso, const std::string& anchors) {
    Config config;
    config.trust.anchors = anchors;
    config.product.version_command = {"/bin/echo", "4.6"};
    FileMedia media;
    OpensslCrypto crypto;
    LibmountMounts mounts;
    SystemdServices services;
    LinuxAppliance appliance;
    PtyTerminal terminal;
    SystemdJournal journal;
    Console console;
    Audit audit(journal, console);
    FileKeeper keeper("/nonexistent"); // these stages keep nothing
    Ports ports{media, crypto, mounts, services, appliance, terminal, journal, keeper};
    const StateFile store("/nonexistent"); // these stages keep no record
    Job job{config, ports, audit, console, store, "", iso};
    stages::find(job);
    stages::authenticate(job);
    for (const auto& finding : job.findings)
        std::printf("%s: %s\n", std::string(word(finding.reason)).c_str(), finding.message.c_str());
    std::ifstream status("/proc/self/status"); // the peak of wait4(2) includes the parent's pages
    for (std::string line; std::getline(status, line);)
        if (line.rfind("VmHWM:", 0) == 0)
            std::puts(line.c_str());
    return std::none_of(job.findings.begin(), job.findings.end(), is_refusal);
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: bench_authenticate ISO ANCHOR\n");
        return 2;
    }
    try {
        return is_genuine(argv[1], argv[2]) ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_authenticate: %s\n", error.what());
        return 1;
    }
}
