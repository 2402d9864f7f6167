#include "system/termination.hpp"
#include "upgrade/procedure.hpp"
#include "upgrade/stages.hpp"

#include <algorithm>

namespace um {
namespace {

bool is_refusal(const Finding& finding) {
    return finding.severity == Finding::Severity::refusal;
}

} // namespace

CheckResult check_procedure(Job& job) {
    if (job.ports.services.status(apply_unit).running()) // it works on what a check would unmount
        throw Failure(Reason::busy, "the change is at work", "watch it with 'um-upgrade status --follow'");
    CheckResult result;
    const auto examine = [&](Next (*work)(Job&)) {
        job.findings.clear();
        job.note.clear();
        Next next = Next::stage;
        try {
            check_termination();
            next = work(job);
        } catch (const Failure& failure) {
            job.findings.push_back(failure.finding());
        }
        result.findings.insert(result.findings.end(), job.findings.begin(), job.findings.end());
        if (next == Next::nothing_to_do) {
            result.nothing_to_do = true;
            result.note = job.note;
        }
        return std::none_of(job.findings.begin(), job.findings.end(), is_refusal);
    };
    const bool found = examine(stages::find);
    if (result.nothing_to_do && !job.media && job.state.media.empty()) {
        result.nothing_to_do = false;
        result.findings.push_back(
            {Finding::Severity::refusal, Reason::media_none, result.note,
             "copy the upgrade ISO with its .mf, .crt and .sign there, or put it into the drive"});
    }
    if (found && job.media) {
        job.audit.progress("authenticate …");
        if (examine(stages::authenticate)) // what is not genuine is not mounted
            examine(stages::mount);
    }
    if (job.media)
        examine(stages::preflight);
    job.mounted.reset();
    result.state = job.state;
    result.signer = job.signer;
    return result;
}

} // namespace um
