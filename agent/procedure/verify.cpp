#include "procedure/verify.hpp"

#include "checks/sshd.hpp"
#include "checks/verification.hpp"

namespace um::stages {

Next verify(Job& job) {
    try_ensure_sshd(job); // first, because an operator may log in while the product comes up
    const auto verdict = verify_appliance(job);
    job.findings.insert(job.findings.end(), verdict.findings.begin(), verdict.findings.end());
    job.note = fmt::format("{}; {}", verdict.summary, job.note);
    return Next::stage;
}

} // namespace um::stages
