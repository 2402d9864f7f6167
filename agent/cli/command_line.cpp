#include "cli/command_line.hpp"

#include "base/failure.hpp"
#include "config/values.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>

namespace um {
namespace {

/// Throws CLI::ValidationError.
std::chrono::seconds validity(const std::string& text) {
    try {
        return values::duration(text);
    } catch (const values::InvalidValue& right) {
        throw CLI::ValidationError(
            fmt::format("--valid-for: '{}' is wrong; right would be {}", text, right.what()));
    }
}

/// Checks a text that the audit trail keeps. CLI11 puts the option's name before the message.
std::string expect_words(const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos ? "the audit trail needs a text" : "";
}

std::string wrong_arguments(const CLI::App& app, const std::string& first, const CLI::ParseError& error) {
    const auto given = app.get_subcommands();
    const auto what = first.empty()          ? "a command is missing"
                      : first.front() == '-' ? fmt::format("'{}' must come after the command", first)
                      : given.empty()        ? fmt::format("there is no command '{}'", first)
                                             : error.what();
    return fmt::format("{}; see 'um-upgrade {}--help'", what,
                       given.empty() ? "" : given.front()->get_name() + " ");
}

} // namespace

std::variant<Options, ExitCode> parse_command_line(int argc, char** argv) {
    Options options;
    CLI::App app{"Upgrades a vCloud Usage Meter appliance in place from authenticated media.", "um-upgrade"};
    app.set_version_flag("--version", "um-upgrade " UM_VERSION);
    app.require_subcommand(1);
    app.get_formatter()->column_width(20);
    app.footer("Exit codes: 0 done or nothing to do, 1 internal error, 2 usage,\n"
               "3 configuration, 4 media, 5 not authentic, 6 preflight refused,\n"
               "7 apply failed, 8 verification failed, 9 busy, 10 a person must decide.");
    const auto add = [&](const char* name, const char* description) {
        auto* sub = app.add_subcommand(name, description);
        sub->add_option("--config", options.config, "read FILE instead of those under /etc/um-upgrade")
            ->type_name("FILE");
        sub->callback([&options, name] { options.command = name; });
        return sub;
    };
    auto* run = add("run", "upgrade, up to the reboot; continue an interrupted one");
    auto* check = add("check", "say whether an upgrade would start, and why not");
    for (auto* sub : {run, check})
        sub->add_option("--media", options.media, "use this ISO or drive, do not search")->type_name("PATH");
    add("apply", "the change itself (um-upgrade-apply.service only)");
    add("verify", "after a boot: finish or continue (um-upgrade-verify.service)");
    auto* status = add("status", "what is running, how the last upgrade ended, and what to do");
    status->add_flag("--follow", options.follow, "print again until nothing is running");
    auto* history = add("history", "every upgrade ever tried, or one in full");
    history->add_option("ID", options.id, "the upgrade's UM_UPGRADE_ID");
    for (auto* sub : {check, status, history})
        sub->add_flag("--json", options.json, "print JSON");
    auto* confirm = add("confirm-snapshot", "record that a snapshot of the appliance exists");
    confirm->add_option("--name", options.snapshot_name, "what the snapshot is called in vCenter")
        ->check(expect_words)
        ->required();
    confirm
        ->add_option_function<std::string>(
            "--valid-for", [&](const std::string& text) { options.valid_for = validity(text); },
            "how long it holds, such as 90min, 24h or 7d (24h)")
        ->type_name("TIME");
    auto* abandon = add("abandon", "close an upgrade that needs a person");
    auto* rollback = add("rollback", "roll the last upgrade back; reboots without asking");
    for (auto* sub : {abandon, rollback})
        sub->add_option("--why", options.why, "for the audit trail")->check(expect_words);
    abandon->get_option("--why")->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) { // help or the version
        app.exit(asked);
        return ExitCode::done;
    } catch (const CLI::ParseError& error) {
        throw UsageError(wrong_arguments(app, argc > 1 ? argv[1] : "", error));
    }
    for (auto* path : {&options.config, &options.media}) // the units run in another directory
        if (!path->empty())
            *path = std::filesystem::absolute(*path).lexically_normal().string();
    return options;
}

} // namespace um
