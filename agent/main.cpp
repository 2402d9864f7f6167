// Composition root: arguments, configuration, adapters, exit code.

#include "cli/commands.hpp"
#include "config/values.hpp"
#include "system/appliance.hpp"
#include "system/keeping/file_keeper.hpp"
#include "system/libmount_mounts.hpp"
#include "system/media_directory.hpp"
#include "system/openssl/crypto.hpp"
#include "system/pty_terminal.hpp"
#include "system/systemd/journal.hpp"
#include "system/systemd/services.hpp"
#include "base/termination.hpp"
#include "rollback/keep.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <unistd.h>

namespace um {
namespace {

using Command = ExitCode (*)(Context&);

int complain(const std::string& message, ExitCode code) {
    std::fprintf(stderr, "um-upgrade: %s\n", message.c_str());
    return static_cast<int>(code);
}

/// What goes on with an upgrade goes on with the configuration that it was begun with; who only looks at it,
/// or closes it, must not need a file that may be gone.
std::string config_path(Command command, const Options& options) {
    const bool goes_on = command == run_command || command == apply_command || command == verify_command ||
                         command == rollback_command;
    return options.config.empty() && goes_on ? config_of_open_upgrade(default_state_directory)
                                             : options.config;
}

/// Early in a boot the old system is put back by its own list, whatever the change made of the configuration;
/// and who looks at an upgrade, or closes it, must not be kept from that.
bool needs_config(Command command, Services& services) {
    if (command == rollback_command)
        return !services.inside(rollback_unit);
    return command != status_command && command != history_command && command != abandon_command;
}

Config config_for(Command command, const Options& options, Services& services, Audit& audit) {
    try {
        return load_config(config_path(command, options));
    } catch (const ConfigError& error) {
        if (needs_config(command, services)) {
            if ((command == run_command || command == verify_command) && options.config.empty())
                tell_open_upgrade(audit, default_state_directory, default_runtime_directory, error);
            throw;
        }
        complain(fmt::format("{}, ignoring: '{}' needs none", error.what(), options.command),
                 ExitCode::configuration);
        return {};
    }
}

ExitCode execute(Command command, const Options& options) {
    SystemdServices services;
    SystemdJournal journal;
    Console console(options.json ? STDERR_FILENO : STDOUT_FILENO); // standard output is the machine's
    Audit audit(journal, console);
    const auto config = config_for(command, options, services, audit);
    FileMedia media;
    OpensslCrypto crypto;
    LibmountMounts mounts;
    LinuxAppliance appliance;
    PtyTerminal terminal;
    FileKeeper keeper(default_state_directory);
    Ports ports{media, crypto, mounts, services, appliance, terminal, journal, keeper};
    Context context{options, config, ports, audit, console};
    try {
        return command(context);
    } catch (const Failure& failure) { // what no upgrade's record can hold: busy, or a damaged record
        audit.event(EventKind::refused, State{},
                    {.message = failure.what(), .hint = failure.hint(), .reason = failure.reason()});
        return exit_code(failure.reason());
    }
}

/// Throws CLI::ValidationError.
std::chrono::seconds validity(const std::string& text) {
    try {
        return values::duration(text);
    } catch (const values::Wrong& right) {
        throw CLI::ValidationError(
            fmt::format("--valid-for: '{}' is wrong; right would be {}", text, right.what()));
    }
}

/// For what the audit trail keeps; CLI11 puts the option's name before it.
std::string expect_words(const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos ? "the audit trail needs a text" : "";
}

std::string wrong_arguments(const CLI::App& app, const std::string& first, const CLI::ParseError& error) {
    const auto given = app.get_subcommands();
    const auto what = first.empty()          ? "a command is missing"
                      : first.front() == '-' ? fmt::format("'{}' cannot stand before the command", first)
                      : given.empty()        ? fmt::format("there is no command '{}'", first)
                                             : error.what();
    return fmt::format("{}; see 'um-upgrade {}--help'", what,
                       given.empty() ? "" : given.front()->get_name() + " ");
}

int parse_and_execute(int argc, char** argv) {
    Options options;
    Command chosen = nullptr;
    CLI::App app{"Upgrades a vCloud Usage Meter appliance in place from authenticated media.", "um-upgrade"};
    app.set_version_flag("--version", "um-upgrade " UM_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(20);
    app.footer("Exit codes: 0 done or nothing to do, 1 internal error, 2 usage,\n"
               "3 configuration, 4 media, 5 not authentic, 6 preflight refused,\n"
               "7 apply failed, 8 verification failed, 9 busy, 10 a person must decide.");
    const auto add = [&](const char* name, const char* description, Command command) {
        auto* sub = app.add_subcommand(name, description);
        sub->add_option("--config", options.config, "read FILE instead of those under /etc/um-upgrade")
            ->type_name("FILE");
        sub->callback([&chosen, &options, command, name] {
            chosen = command;
            options.command = name;
        });
        return sub;
    };
    auto* run = add("run", "upgrade, up to the reboot; go on with an interrupted one", run_command);
    auto* check = add("check", "say whether an upgrade would start, and why not", check_command);
    for (auto* sub : {run, check})
        sub->add_option("--media", options.media, "use this ISO or drive, do not search")->type_name("PATH");
    add("apply", "the change itself (um-upgrade-apply.service only)", apply_command);
    add("verify", "after a boot: finish or go on (um-upgrade-verify.service)", verify_command);
    auto* status = add("status", "what goes on, how the last upgrade ended, and what to do", status_command);
    status->add_flag("--follow", options.follow, "print again until nothing is at work any more");
    auto* history = add("history", "every upgrade ever tried, or one in full", history_command);
    history->add_option("ID", options.id, "the upgrade's UM_UPGRADE_ID");
    for (auto* sub : {check, status, history})
        sub->add_flag("--json", options.json, "print JSON");
    auto* confirm =
        add("confirm-snapshot", "record that a snapshot of the appliance exists", confirm_snapshot_command);
    confirm->add_option("--name", options.snapshot_name, "what the snapshot is called in vCenter")
        ->check(expect_words)
        ->required();
    confirm
        ->add_option_function<std::string>(
            "--valid-for", [&](const std::string& text) { options.valid_for = validity(text); },
            "how long it holds, such as 90min, 24h or 7d (24h)")
        ->type_name("TIME");
    auto* abandon = add("abandon", "close an upgrade that needs a person", abandon_command);
    auto* rollback = add("rollback", "take the last upgrade back; reboots without asking", rollback_command);
    for (auto* sub : {abandon, rollback})
        sub->add_option("--why", options.why, "for the audit trail")->check(expect_words);
    abandon->get_option("--why")->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) { // for help, or the version
        return app.exit(asked);
    } catch (const CLI::ParseError& error) {
        return complain(wrong_arguments(app, argc > 1 ? argv[1] : "", error), ExitCode::usage);
    }
    for (auto* path : {&options.config, &options.media}) // the units run in another directory
        if (!path->empty())
            *path = std::filesystem::absolute(*path).lexically_normal().string();
    if (::geteuid() != 0)
        return complain("only root can upgrade the appliance; run it with 'sudo' or from systemd",
                        ExitCode::usage);
    return static_cast<int>(execute(chosen, options));
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
