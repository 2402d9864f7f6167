#include "change/change.hpp"

#include "base/file.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "change/change_log.hpp"
#include "change/conversation.hpp"
#include "checks/product.hpp"
#include "packages/database.hpp"
#include "packages/kernels.hpp"
#include "packages/offered.hpp"
#include "packages/package_manager.hpp"
#include "packages/repair.hpp"

#include <algorithm>
#include <iterator>

namespace um {
namespace {

/// What the change does, and what its result is measured by.
struct Plan {
    Method method = Method::script;
    std::string repository;               ///< its directory on the medium; empty: none
    std::vector<Package> packages;        ///< those that the medium brings
    std::vector<Package> before;          ///< those installed before the change began
    std::vector<Package> staying{};       ///< those of `before` that the medium does not obsolete
    std::vector<std::string> initramfs{}; ///< the forms that it had before the change
    bool again = false;                   ///< the change was begun before and was cut off
    std::vector<Package> unfinished{};    ///< already replaced, perhaps without their scripts
    std::vector<Package> fresh{};         ///< new here, to be installed as if for the first time
};

std::vector<std::string> read_lines(const std::string& path) {
    return lines_of(read_file_if_there(path, record_limit).value_or(""));
}

Plan make_plan(Job& job) {
    const auto& content = content_of(job);
    Plan plan{method_of(job), content.repository, {}, {}, {}, {}, job.state.cut_off(), {}, {}};
    if (plan.again && !may_go_on(job))
        throw Failure(Reason::interrupted, "the change was cut off and may not be made again");
    plan.packages = packages_of(offered_by(job));
    if (plan.method == Method::packages && plan.packages.empty())
        throw Failure(
            Reason::media_content,
            fmt::format("no packages are in '{}', nor up to two directories below", content.repository),
            "this is no upgrade ISO that um-upgrade can apply; check where it came from");
    if (plan.again) {
        plan.before = read_packages(earlier_package_list(job));
        plan.staying = read_packages(staying_package_list(job));
        plan.initramfs = read_lines(initramfs_list(job));
    } else {
        plan.before = installed_packages(job.ports.appliance).packages;
        if (!plan.packages.empty())
            plan.staying = without(obsoleted_by(offered_by(job)), plan.before);
        plan.initramfs = initramfs_forms(job.ports.appliance);
        replace_file(earlier_package_list(job), to_text(plan.before));
        replace_file(staying_package_list(job), to_text(plan.staying));
        replace_file(initramfs_list(job), to_lines(plan.initramfs));
        replace_file(fresh_package_list(job), "");
    }
    replace_file(package_list(job), to_text(plan.packages));
    return plan;
}

Failure failed(Job& job, Reason reason, const std::string& message) {
    return {reason, message, fmt::format("look at {}", job.config.log.file)};
}

/// rpm and its callers continue when a package's script fails. What the script makes, such as an initramfs,
/// may then be missing.
void expect_scripts_ran(Job& job, const Conversation& conversation) {
    const auto& found = conversation.failed_scriptlets();
    if (!found.empty())
        throw failed(job, Reason::packages_incomplete,
                     fmt::format("a package's script failed: {}{}", found.front(),
                                 found.size() > 1 ? fmt::format(", and {} more", found.size() - 1) : ""));
}

/// The program's last line often says what failed.
std::string with_last_words(const std::string& message, const std::string& last_words) {
    return last_words.empty() ? message : fmt::format("{}; its last line: {}", message, last_words);
}

/// Returns the script's last line.
std::string run_script(Job& job, ChangeLog& log) {
    const auto& script = job.config.apply.script;
    Conversation conversation(job, log, Partner::script, "the script");
    const int status = conversation.hold({"/bin/bash", job.config.media.mount_point + "/" + script});
    if (status != 0)
        throw failed(job, Reason::script_failed,
                     with_last_words(fmt::format("{} ended with status {}", script, status),
                                     conversation.last_words()));
    expect_scripts_ran(job, conversation);
    return conversation.last_words();
}

/// Sorts what the cut left half installed. A package that had an older version here is reinstalled. A package
/// that is new here is installed as if for the first time. New packages from an earlier attempt stay listed.
void find_unfinished(Job& job, Plan& plan, const InstalledPackages& now) {
    plan.fresh = read_packages(fresh_package_list(job));
    for (const auto& package : unfinished(plan.packages, plan.before, now)) {
        const bool known = std::any_of(plan.before.begin(), plan.before.end(),
                                       [&](const Package& other) { return is_same_place(other, package); });
        auto& list = known ? plan.unfinished : plan.fresh;
        if (std::find(list.begin(), list.end(), package) == list.end())
            list.push_back(package);
    }
    replace_file(fresh_package_list(job), to_text(plan.fresh));
}

/// The cut left packages and files in a condition that the next transaction must not rely on.
void repair(Job& job, ChangeLog& log, Plan& plan) {
    const auto say = [&](const std::string& line) {
        log.line(fmt::format("um-upgrade {}: {}", job.state.id, line));
        job.audit.output(job.state, line);
    };
    auto& appliance = job.ports.appliance;
    say("the change was cut off; trying again");
    repair_database(appliance, say);
    erase(appliance, leftovers(plan.packages, installed_packages(appliance)), say);
    if (plan.repository.empty())
        return; // the script itself repeats its work
    remove_unpacked(offered_by(job), say);
    put_damaged_configuration_aside(appliance, content_of(job).package_files,
                                    fmt::format(".um-upgrade-{}-{}", job.state.id, job.state.attempts), say);
    const auto now = installed_packages(appliance);
    find_unfinished(job, plan, now);
    forget(appliance, common(plan.fresh, now.packages), say);
}

void run_package_manager(Job& job, ChangeLog& log, const Plan& plan) {
    const PackageManager manager(job.ports, job.store.directory() + "/work", plan.repository);
    const auto run = [&](const std::vector<std::string>& command) {
        Conversation conversation(job, log, Partner::package_manager, manager.name());
        const int status = conversation.hold(command);
        if (status != 0)
            throw failed(job, Reason::packages_failed,
                         with_last_words(fmt::format("{} ended with status {}", manager.name(), status),
                                         conversation.last_words()));
        expect_scripts_ran(job, conversation);
    };
    if (!plan.fresh.empty())
        run(manager.install(plan.fresh));
    if (plan.method == Method::packages)
        run(manager.upgrade());
    if (!plan.unfinished.empty())
        run(manager.reinstall(plan.unfinished));
}

/// Everything that the change should have achieved but did not.
std::vector<std::string> shortcomings_of(Job& job, const Plan& plan) {
    auto& appliance = job.ports.appliance;
    const auto now = installed_packages(appliance);
    // A script may remove a package on purpose. A package manager's upgrade never does.
    auto found = shortcomings(plan.packages,
                              plan.method == Method::packages ? plan.staying : std::vector<Package>{}, now);
    const auto add = [&](const std::vector<std::string>& more) {
        found.insert(found.end(), more.begin(), more.end());
    };
    const auto changed = not_in(plan.before, now.packages);
    if (plan.again) // without a cut, a package may have removed its own file on purpose
        for (const auto& file : missing_files(appliance, changed))
            found.push_back(fmt::format("{} is missing", file));
    for (const auto& package : not_in(now.packages, plan.fresh))
        found.push_back(fmt::format("{} is not installed", full_name(package)));
    if (!plan.repository.empty()) {
        const auto names = obsoleted_by(offered_by(job));
        auto candidates = now.packages;
        std::erase_if(candidates, [&](const Package& package) { return !names.contains(package.name); });
        add(left_obsolete(appliance, candidates));
    }
    std::vector<Package> kernels;
    std::copy_if(changed.begin(), changed.end(), std::back_inserter(kernels),
                 [&](const Package& package) { return now.side_by_side.count(package.name) > 0; });
    add(boot_shortcomings(appliance, kernels, plan.initramfs));
    return found;
}

/// Exit status 0 does not mean success, because rpm hides failures of scriptlets. The product and the rpm
/// database show what is installed now.
void expect_truth(Job& job, const Plan& plan, const std::string& last_words) {
    const auto product = installed_product(job.ports.appliance, job.config);
    if (!product.version || compare_versions(*product.version, job.state.to_version) != 0)
        throw failed(
            job, Reason::packages_incomplete,
            with_last_words(fmt::format("the change ended well, but the product's version is '{}', not {}",
                                        product.said, job.state.to_version),
                            last_words));
    std::vector<std::string> found;
    try {
        found = shortcomings_of(job, plan);
    } catch (const SystemFailure& failure) {
        found.emplace_back(failure.what());
    }
    if (!found.empty())
        throw failed(job, Reason::packages_incomplete,
                     fmt::format("the change ended well, but {}{}", found.front(),
                                 found.size() > 1 ? fmt::format(", and {} more", found.size() - 1) : ""));
}

void load_own_stage(Job& job) {
    const auto state = job.store.load();
    const auto due = [](Change change) { return change == Change::none || change == Change::begun; };
    if (!state || !state->open() || state->stage != Stage::apply || !due(state->change))
        throw UsageError(
            "'apply' is the change itself and no upgrade is in that stage; use 'um-upgrade run'");
    if (!job.ports.services.inside(apply_unit))
        throw UsageError(fmt::format("'apply' runs in {} only; use 'um-upgrade run'", apply_unit));
    job.state = *state;
}

void check_medium(Job& job) {
    const auto mounted = job.ports.mounts.device_at(job.config.media.mount_point);
    if (!mounted || *mounted != job.state.mount_device || job.state.boot_id != job.ports.appliance.boot_id())
        throw Failure(Reason::media_changed,
                      fmt::format("what is mounted on {} is not the medium that was authenticated",
                                  job.config.media.mount_point),
                      "start um-upgrade again");
}

/// The agent is waiting for this unit. It reads in the record why the change did not begin.
ExitCode fail_before_the_change(Job& job, const Problem& problem) {
    job.state.set_problem(problem);
    job.store.save(job.state);
    return exit_code(problem.reason);
}

ExitCode change(Job& job, ChangeLog& log, Plan& plan) {
    job.state.change = Change::begun;
    if (!plan.again)
        job.state.tries = 1; // the change is a phase of its own
    job.state.method = word(plan.method);
    job.state.clear_problem(); // left by an earlier attempt
    job.store.save(job.state);
    auto code = ExitCode::done;
    try {
        if (plan.again)
            repair(job, log, plan);
        // A repeated script assumes that installed packages are complete, so they are completed first.
        if (plan.method == Method::packages || !plan.fresh.empty() || !plan.unfinished.empty())
            run_package_manager(job, log, plan);
        const auto last_words = plan.method == Method::script ? run_script(job, log) : std::string();
        expect_truth(job, plan, last_words);
        job.state.change = Change::done;
    } catch (const Failure& failure) {
        job.state.change = Change::failed;
        job.state.set_problem(failure.problem());
        code = exit_code(failure.reason());
        log.line(fmt::format("um-upgrade {}: {}", job.state.id, failure.what()));
    } catch (const std::exception& error) { // the machine failed: the record keeps its message
        job.state.message = error.what();
        job.store.save(job.state);
        throw;
    }
    job.ports.appliance.flush_journal();
    job.ports.appliance.sync();
    job.store.save(job.state);
    return code;
}

/// The guard of the reboot targets stops root's reboot. This lock is for what respects logind instead: the
/// power button and sessions.
Fd hold_off_shutdown(Job& job) {
    try {
        return job.ports.services.inhibit_shutdown("the appliance is being upgraded");
    } catch (const SystemFailure& failure) {
        job.audit.output(job.state,
                         fmt::format("{}, ignoring: the reboot targets are guarded", failure.what()));
        return Fd();
    }
}

} // namespace

Method method_of(Job& job) {
    if (!job.state.cut_off())
        return method_for(content_of(job), job.config);
    return job.state.method == word(Method::packages) ? Method::packages : Method::script;
}

bool may_go_on(Job& job) {
    if (job.config.apply.interrupted == OnInterruption::stop)
        return false;
    const auto& content = content_of(job);
    return method_of(job) == Method::packages ? !content.repository.empty() : content.repeatable;
}

ExitCode apply_change(Job& job) {
    load_own_stage(job);
    const auto awake = hold_off_shutdown(job);
    std::optional<ChangeLog> log;
    Plan plan;
    try {
        check_medium(job);
        plan = make_plan(job);
        log.emplace(job.config.log.file, job.ports.appliance);
    } catch (const Failure& failure) {
        return fail_before_the_change(job, failure.problem());
    } catch (const SystemFailure& failure) {
        return fail_before_the_change(job, {Reason::script_failed, failure.what(),
                                            job.state.cut_off()
                                                ? "fix it and start um-upgrade again"
                                                : "nothing was changed; fix it and start um-upgrade again"});
    }
    return change(job, *log, plan);
}

} // namespace um
