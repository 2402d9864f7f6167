#pragma once
// One short function per command of the contract.

#include "audit.hpp"
#include "config.hpp"
#include "upgrade/ports.hpp"
#include "upgrade/state.hpp"

#include <chrono>
#include <string>

namespace um {

/// The command line, parsed.
struct Options {
    std::string config; ///< --config FILE
    std::string media;  ///< --media PATH
    bool json = false;
    bool follow = false;
    std::string snapshot_name;
    std::chrono::seconds valid_for{24 * 3600};
    std::string why;
    std::string id; ///< of the upgrade to show
};

/// What every command works with. The directories are the contract's.
struct Context {
    const Options& options;
    const Config& config;
    Ports& ports;
    Audit& audit;
    Console& console;
    std::string state_directory = "/var/lib/um-upgrade";
    std::string runtime_directory = "/run/um-upgrade";
};

ExitCode run_command(Context& context);
ExitCode check_command(Context& context);
ExitCode apply_command(Context& context);
ExitCode verify_command(Context& context);
ExitCode status_command(Context& context);
ExitCode history_command(Context& context);
ExitCode confirm_snapshot_command(Context& context);
ExitCode abandon_command(Context& context);

} // namespace um
