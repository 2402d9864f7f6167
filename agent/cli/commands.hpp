#pragma once
// One short function for each command of the contract.

#include "cli/command_line.hpp"
#include "config/config.hpp"
#include "ports/ports.hpp"
#include "upgrade/audit.hpp"
#include "upgrade/state_file.hpp"

#include <string>

namespace um {

inline constexpr auto default_state_directory = "/var/lib/um-upgrade";
inline constexpr auto default_runtime_directory = "/run/um-upgrade";

/// What every command works with. The contract names the directories.
struct Context {
    const Options& options;
    const Config& config;
    Ports& ports;
    Audit& audit;
    Console& console;
    std::string state_directory = default_state_directory;
    std::string runtime_directory = default_runtime_directory;
};

/// The --config of the run that began the open upgrade, because its apply and verify use the same. Empty:
/// none.
std::string config_of_open_upgrade(const std::string& state_directory);

/// Puts into the journal that the open upgrade cannot continue, because the configuration is wrong now.
/// Nothing else would show it before somebody looks. The record stays as it is, because another process may
/// be using it.
void tell_open_upgrade(Audit& audit, const std::string& state_directory, const std::string& runtime_directory,
                       const ConfigError& error);

// One function for each command. Each throws Failure, SystemFailure, UsageError and Terminated.
ExitCode run_command(Context& context);
ExitCode check_command(Context& context);
ExitCode apply_command(Context& context);
ExitCode verify_command(Context& context);
ExitCode status_command(Context& context);
ExitCode history_command(Context& context);
ExitCode confirm_snapshot_command(Context& context);
ExitCode abandon_command(Context& context);
ExitCode rollback_command(Context& context);

using Command = ExitCode (*)(Context&);

/// The command of this name. Every name that the command line accepts has one.
Command command_named(const std::string& name);

/// The configuration that the command works with. Throws ConfigError if the command needs it and it is wrong.
Config config_for(const Options& options, Services& services, Audit& audit);

} // namespace um
