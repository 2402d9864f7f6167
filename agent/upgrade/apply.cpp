#include "upgrade/apply.hpp"

#include "system/file.hpp"
#include "upgrade/content.hpp"
#include "upgrade/conversation.hpp"
#include "upgrade/package_manager.hpp"
#include "upgrade/packages.hpp"
#include "upgrade/product.hpp"
#include "upgrade/version.hpp"

namespace um {
namespace {

/// What the change will be, and what it is measured by afterwards.
struct Plan {
    Method method = Method::script;
    std::string repository;        ///< on the medium; empty: none
    std::vector<Package> packages; ///< that the medium brings
    std::vector<Package> before;   ///< that are installed now
};

Plan make_plan(Job& job) {
    const auto content = content_of(job.ports, job.config);
    Plan plan{method_for(content, job.config), content.repository, {}, {}};
    if (!content.repository.empty()) {
        plan.packages = packages_in(job.ports, content.repository);
        plan.before = installed_packages(job.ports.appliance).packages;
    }
    return plan;
}

Failure failed(Job& job, Reason reason, const std::string& message) {
    return {reason, message, fmt::format("look at {}; the snapshot is the way back", job.config.log.file)};
}

void run_script(Job& job, ChangeLog& log) {
    const auto& script = job.config.apply.script;
    const int status =
        Conversation(job, log, "the script").hold({"/bin/bash", job.config.media.mount_point + "/" + script});
    if (status != 0)
        throw failed(job, Reason::script_failed, fmt::format("{} ended with status {}", script, status));
}

void run_package_manager(Job& job, ChangeLog& log, const std::string& repository) {
    const PackageManager manager(job.ports, job.store.directory() + "/work", repository);
    const int status = Conversation(job, log, manager.name()).hold(manager.upgrade());
    if (status != 0)
        throw failed(job, Reason::packages_failed,
                     fmt::format("{} ended with status {}", manager.name(), status));
}

/// Exit status 0 is not success: rpm hides failures of scriptlets. The product and the rpm database say what
/// is installed now.
void expect_truth(Job& job, const std::vector<Package>& media, const std::vector<Package>& before) {
    const auto product = installed_product(job.ports.appliance, job.config);
    if (!product.version || compare_versions(*product.version, job.state.to_version) != 0)
        throw failed(job, Reason::packages_incomplete,
                     fmt::format("the change ended well, but the product's version is '{}', not {}",
                                 product.said, job.state.to_version));
    if (media.empty())
        return;
    std::vector<std::string> found;
    try {
        const auto now = installed_packages(job.ports.appliance);
        found = shortcomings(media, now);
        for (const auto& file : missing_files(job.ports.appliance, replaced(before, now.packages)))
            found.push_back(fmt::format("{} is missing", file));
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
    if (!state || !state->open() || state->stage != Stage::apply || state->change != Change::none)
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
                      fmt::format("what stands on {} is not the medium that was authenticated",
                                  job.config.media.mount_point),
                      "start um-upgrade again");
}

/// The record tells the agent, which waits, why nothing was begun.
ExitCode fail_before_the_change(Job& job, Reason reason, const std::string& message,
                                const std::string& hint) {
    job.state.reason = reason;
    job.state.message = message;
    job.state.hint = hint;
    job.store.save(job.state);
    return exit_code(reason);
}

ExitCode change(Job& job, ChangeLog& log, const Plan& plan) {
    job.state.change = Change::begun;
    job.store.save(job.state);
    auto code = ExitCode::done;
    try {
        if (plan.method == Method::script)
            run_script(job, log);
        else
            run_package_manager(job, log, plan.repository);
        expect_truth(job, plan.packages, plan.before);
        job.state.change = Change::done;
    } catch (const Failure& failure) {
        job.state.change = Change::failed;
        job.state.reason = failure.reason();
        job.state.message = failure.what();
        job.state.hint = failure.hint();
        code = exit_code(failure.reason());
        log.line(fmt::format("um-upgrade {}: {}", job.state.id, failure.what()));
    }
    job.ports.appliance.sync({"/", "/boot", "/var", "/opt"});
    job.store.save(job.state);
    return code;
}

} // namespace

ExitCode apply_change(Job& job) {
    load_own_stage(job);
    std::optional<ChangeLog> log;
    Plan plan;
    try {
        check_medium(job);
        plan = make_plan(job);
        replace_file(package_list(job), to_text(plan.packages));
        log.emplace(job.config.log.file, job.ports.appliance);
    } catch (const Failure& failure) {
        return fail_before_the_change(job, failure.reason(), failure.what(), failure.hint());
    } catch (const SystemFailure& failure) {
        return fail_before_the_change(job, Reason::script_failed, failure.what(),
                                      "nothing was changed; mend it and start again");
    }
    return change(job, *log, plan);
}

} // namespace um
