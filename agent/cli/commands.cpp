#include "cli/commands.hpp"

#include "base/termination.hpp"
#include "base/time.hpp"
#include "change/change.hpp"
#include "checks/product.hpp"
#include "cli/report.hpp"
#include "cli/run_lock.hpp"
#include "procedure/abandon.hpp"
#include "procedure/check.hpp"
#include "procedure/ending.hpp"
#include "procedure/resume.hpp"
#include "rollback/rollback.hpp"
#include "upgrade/snapshot.hpp"

#include <algorithm>
#include <iostream>
#include <map>

namespace um {
namespace {

struct Workplace {
    explicit Workplace(Context& context)
        : store(context.state_directory),
          job{context.config,        context.ports, context.audit,
              context.console,       store,         context.state_directory + "/snapshot.ini",
              context.options.media, false,         context.options.config} {}

    StateFile store;
    Job job;
};

Fd lock(Context& context, std::chrono::seconds patience) {
    return take_run_lock(context.ports.appliance, context.runtime_directory, patience);
}

/// What is running now, and what it reports about itself.
Activity activity(Context& context) {
    Activity result;
    for (const auto* unit :
         {apply_unit, "um-upgrade.service", verify_unit, "um-upgrade-resume.service", rollback_unit}) {
        try {
            if (!context.ports.services.status(unit).running())
                continue;
            result.running = true;
            if (result.text.empty())
                result.text = context.ports.services.status_text(unit);
        } catch (const SystemFailure&) {
            continue; // ignoring: D-Bus or systemd is away for a moment, and the lock also shows
        }
    }
    result.running = result.running || is_run_locked(context.runtime_directory);
    result.boot_id = context.ports.appliance.boot_id();
    return result;
}

} // namespace

std::string config_of_open_upgrade(const std::string& state_directory) {
    try {
        const auto state = StateFile(state_directory).load();
        return state && (state->open() || state->waits_for_a_person()) ? state->config : "";
    } catch (const std::runtime_error&) {
        return ""; // the command itself reports a damaged record
    }
}

void tell_open_upgrade(Audit& audit, const std::string& state_directory, const std::string& runtime_directory,
                       const ConfigError& error) {
    if (is_run_locked(runtime_directory))
        return; // it continues with the configuration that it has read
    try {
        const auto state = StateFile(state_directory).load();
        if (state && state->open())
            audit.finding(
                EventKind::stage_failed, *state,
                refusal({Reason::system_failed,
                         fmt::format("the configuration cannot be read: {}", error.what()),
                         "fix it, then run 'systemctl start um-upgrade'; if the file is gone, 'um-upgrade "
                         "verify --config FILE' uses another one"}));
    } catch (const Failure&) { // ignoring: other commands report a damaged record
    }
}

ExitCode run_command(Context& context) {
    const auto held = lock(context, std::chrono::seconds(1));
    Workplace workplace(context);
    workplace.job.may_ask = context.console.attended();
    workplace.job.patient = true;
    return run_procedure(workplace.job);
}

ExitCode check_command(Context& context) {
    const auto held = lock(context, std::chrono::seconds(1));
    Workplace workplace(context);
    const auto result = check_procedure(workplace.job);
    context.console.clear_progress();
    if (context.options.json)
        std::cout << check_json(result) << '\n';
    else
        std::cout << check_text(result, context.console.width());
    if (!result.failure.empty())
        return ExitCode::internal;
    if (result.needs_person)
        return ExitCode::needs_manual;
    const auto& findings = result.findings;
    const auto first = std::find_if(findings.begin(), findings.end(), is_refusal);
    if (first != findings.end())
        return exit_code(first->reason);
    return ExitCode::done;
}

ExitCode apply_command(Context& context) {
    refuse_termination();
    Workplace workplace(context); // without the lock: `run` holds it and waits
    return apply_change(workplace.job);
}

ExitCode verify_command(Context& context) {
    Fd held;
    try { // an upgrade must not stay unverified because a check came first
        held = lock(context, std::chrono::minutes(30));
    } catch (const Failure& failure) { // no person asked for it, and it runs again every hour
        context.console.line(failure.what());
        return exit_code(failure.reason());
    }
    Workplace workplace(context);
    workplace.job.patient = true;
    return continue_after_boot(workplace.job);
}

ExitCode status_command(Context& context) {
    const StateFile store(context.state_directory);
    std::string shown;
    for (;;) {
        const auto now = activity(context);
        const auto state = store.load();
        const auto text = context.options.json ? status_json(state, now) + "\n"
                                               : status_text(state, now, context.console.width());
        if (text != shown)
            std::cout << text << std::flush;
        shown = text;
        if (!context.options.follow || !now.running)
            return ExitCode::done;
        context.ports.appliance.sleep(std::chrono::milliseconds(500));
    }
}

ExitCode history_command(Context& context) {
    const StateFile store(context.state_directory);
    auto records = store.closed();
    const auto& id = context.options.id;
    if (!id.empty()) {
        std::erase_if(records, [&](const State& state) { return state.id != id; });
        if (records.empty())
            throw UsageError(
                fmt::format("no closed upgrade has the id '{}'; 'um-upgrade history' lists them", id));
    }
    if (context.options.json)
        std::cout << history_json(records) << '\n';
    else
        std::cout << (id.empty() ? history_text(records)
                                 : record_text(records.front(), context.console.width()));
    auto code = ExitCode::done;
    if (id.empty())
        for (const auto& failure : store.not_understood()) {
            std::cerr << fmt::format("um-upgrade: {}\n    -> {}\n", failure.what(), failure.hint());
            code = exit_code(failure.reason());
        }
    return code;
}

ExitCode confirm_snapshot_command(Context& context) {
    auto& appliance = context.ports.appliance;
    const auto product = installed_product(appliance, context.config);
    if (!product.version)
        throw Failure(Reason::product_absent,
                      fmt::format("the product's version cannot be determined: {}", product.said),
                      "run this on the appliance, or correct [product] version_command");
    const auto now = appliance.now();
    const auto confirmation = save_confirmation(context.state_directory + "/snapshot.ini",
                                                {context.options.snapshot_name, appliance.operator_name(),
                                                 *product.version, now, now + context.options.valid_for});
    context.audit.event(
        EventKind::snapshot_confirmed, State{},
        {.message = fmt::format("{} confirmed snapshot '{}' of version {}, valid until {}", confirmation.by,
                                confirmation.name, confirmation.version, iso8601(confirmation.valid_until))});
    return ExitCode::done;
}

ExitCode abandon_command(Context& context) {
    const auto held = lock(context, std::chrono::seconds(1));
    Workplace workplace(context);
    abandon_upgrade(workplace.job, context.options.why);
    return ExitCode::done;
}

ExitCode rollback_command(Context& context) {
    const bool early = context.ports.services.inside(rollback_unit);
    if (!early && context.options.why.empty())
        throw UsageError("'rollback' takes --why TEXT, for the audit trail");
    const auto held = lock(context, early ? std::chrono::seconds(60) : std::chrono::seconds(1));
    Workplace workplace(context);
    if (!early)
        return close(workplace.job, roll_back_by_hand(workplace.job, context.options.why));
    refuse_termination();
    return roll_back(workplace.job);
}

Command command_named(const std::string& name) {
    static const std::map<std::string, Command> commands{
        {"run", run_command},
        {"check", check_command},
        {"apply", apply_command},
        {"verify", verify_command},
        {"status", status_command},
        {"history", history_command},
        {"confirm-snapshot", confirm_snapshot_command},
        {"abandon", abandon_command},
        {"rollback", rollback_command},
    };
    return commands.at(name);
}

namespace {

/// A command that continues an upgrade uses the configuration that the upgrade was begun with. A command that
/// only shows or closes it must not need a file that may be gone.
std::string config_path(const Options& options) {
    const auto& command = options.command;
    const bool goes_on =
        command == "run" || command == "apply" || command == "verify" || command == "rollback";
    return options.config.empty() && goes_on ? config_of_open_upgrade(default_state_directory)
                                             : options.config;
}

/// Early in a boot the list of the kept files is enough to put the old system back, whatever the change did
/// to the configuration. And a wrong configuration must not prevent an operator from showing or closing an
/// upgrade.
bool needs_config(const std::string& command, Services& services) {
    if (command == "rollback")
        return !services.inside(rollback_unit);
    return command != "status" && command != "history" && command != "abandon";
}

} // namespace

Config config_for(const Options& options, Services& services, Audit& audit) {
    try {
        return load_config(config_path(options));
    } catch (const ConfigError& error) {
        if (needs_config(options.command, services)) {
            if ((options.command == "run" || options.command == "verify") && options.config.empty())
                tell_open_upgrade(audit, default_state_directory, default_runtime_directory, error);
            throw;
        }
        std::cerr << fmt::format("um-upgrade: {}, ignoring: '{}' needs none\n", error.what(),
                                 options.command);
        return {};
    }
}

} // namespace um
