// Composition root: arguments, adapters, exit code.

#include "base/termination.hpp"
#include "cli/commands.hpp"
#include "system/appliance.hpp"
#include "system/keeping/file_keeper.hpp"
#include "system/libmount_mounts.hpp"
#include "system/media_directory.hpp"
#include "system/openssl/crypto.hpp"
#include "system/pty_terminal.hpp"
#include "system/systemd/journal.hpp"
#include "system/systemd/services.hpp"

#include <cstdio>
#include <unistd.h>

namespace um {
namespace {

int complain(const std::string& message, ExitCode code) {
    std::fprintf(stderr, "um-upgrade: %s\n", message.c_str());
    return static_cast<int>(code);
}

ExitCode execute(const Options& options) {
    SystemdServices services;
    SystemdJournal journal;
    Console console(options.json ? STDERR_FILENO : STDOUT_FILENO); // JSON has standard output to itself
    Audit audit(journal, console);
    const auto config = config_for(options, services, audit);
    FileMedia media;
    OpensslCrypto crypto;
    LibmountMounts mounts;
    LinuxAppliance appliance;
    PtyTerminal terminal;
    FileKeeper keeper(default_state_directory);
    Ports ports{media, crypto, mounts, services, appliance, terminal, journal, keeper};
    Context context{options, config, ports, audit, console};
    try {
        return command_named(options.command)(context);
    } catch (const Failure& failure) { // no upgrade's record can hold it: busy, or a damaged record
        audit.event(EventKind::refused, State{}, detail_of(failure.problem()));
        return exit_code(failure.reason());
    }
}

int parse_and_execute(int argc, char** argv) {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* code = std::get_if<ExitCode>(&parsed))
        return static_cast<int>(*code);
    if (::geteuid() != 0)
        return complain("only root can upgrade the appliance; run it with 'sudo' or from systemd",
                        ExitCode::usage);
    return static_cast<int>(execute(std::get<Options>(parsed)));
}

} // namespace
} // namespace um

int main(int argc, char** argv) {
    um::catch_termination();
    try {
        return um::parse_and_execute(argc, argv);
    } catch (const um::Terminated& terminated) {
        um::end_by(terminated.signal);
    } catch (const um::UsageError& error) {
        return um::complain(error.what(), um::ExitCode::usage);
    } catch (const um::ConfigError& error) {
        return um::complain(error.what(), um::ExitCode::configuration);
    } catch (const std::exception& error) {
        return um::complain(error.what(), um::ExitCode::internal);
    }
}
