#pragma once
// The stages' work, in the order of the procedure. Each adds what it finds to job.findings or throws Failure.

#include "upgrade/job.hpp"

namespace um::stages {

/// A failure of one part must not hide what the others have to say.
template <class Check>
void collect(Job& job, Check check) {
    try {
        check();
    } catch (const Failure& failure) {
        job.findings.push_back(failure.finding());
    }
}

/// The person's answer; nothing when nobody is there to be asked.
inline std::optional<bool> ask(Job& job, const std::string& question) {
    return job.may_ask ? job.console.ask(question) : std::nullopt;
}

/// The unit that goes on after a boot must come up with it, above all when the change is cut off. Throws
/// Failure (services.unhealthy).
void ensure_verification(Job& job);

/// Asks for a reboot, by policy, once in a boot; `then` tells what it is for. Throws SystemFailure.
void request_reboot(Job& job, const std::string& then);

/// Reads the record again, which the apply unit may have written.
void reload(Job& job);

/// Waits for the end of a change that is at work, and takes over the record that its unit kept.
void await_change(Job& job);

Next find(Job& job);
Next authenticate(Job& job);
Next mount(Job& job);
Next preflight(Job& job);
Next prepare(Job& job);
Next apply(Job& job);
Next reboot(Job& job);
Next verify(Job& job);

} // namespace um::stages
