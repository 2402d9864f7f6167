#include "procedure/verify.hpp"

#include "checks/sshd.hpp"
#include "checks/verification.hpp"

namespace um::stages {

Next verify(Job& job) {
    try_ensure_sshd(job); // first: whoever wants to look while the product comes up comes in by it
    const auto verdict = verify_appliance(job);
    job.findings.insert(job.findings.end(), verdict.findings.begin(), verdict.findings.end());
    job.note = fmt::format("{}; {}", verdict.summary, job.note);
    return Next::stage;
}

} // namespace um::stages
