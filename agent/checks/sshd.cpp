#include "checks/sshd.hpp"

#include <algorithm>

namespace um {
namespace {

constexpr auto debians_name = "ssh.service"; // its alias sshd.service exists only while it is enabled

std::string socket_of(const std::string& unit) {
    return unit.substr(0, unit.rfind('.')) + ".socket";
}

/// The words of `systemctl is-enabled` (systemctl(1)) for a unit that no boot starts, but that can be
/// enabled.
bool wants_enabling(const std::string& enablement) {
    constexpr std::string_view words[] = {"disabled", "enabled-runtime", "indirect", "linked",
                                          "linked-runtime"};
    return std::find(std::begin(words), std::end(words), enablement) != std::end(words);
}

bool listens(Services& services, const std::string& unit) {
    const auto socket = services.status(socket_of(unit));
    return socket.loaded && !socket.masked && socket.active == "active";
}

} // namespace

SshdFacts look_at_sshd(Services& services, const Config::Sshd& config, const std::string& known) {
    SshdFacts facts;
    const std::string other = config.unit == "sshd.service" ? debians_name : "";
    for (const auto& name : {config.unit, known, other}) {
        if (name.empty())
            continue;
        const auto service = services.status(name);
        if (name == config.unit || service.loaded || service.masked) {
            facts.unit = service.loaded ? services.own_name(name) : name;
            facts.service = service;
            facts.enablement = service.loaded ? services.enablement(name) : "";
        }
        facts.socket_listens = facts.socket_listens || listens(services, name);
        if (facts.service.loaded || facts.service.masked)
            break;
    }
    return facts;
}

std::vector<Finding> judge_sshd(const SshdFacts& facts, const Config::Sshd& config) {
    if ((facts.service.loaded && !facts.service.masked) || facts.socket_listens)
        return {};
    return {refusal({Reason::sshd_unmanageable,
                     fmt::format("{} is {}", config.unit, facts.service.masked ? "masked" : "not installed"),
                     facts.service.masked
                         ? fmt::format("'systemctl unmask {}', or set [sshd] manage = no", config.unit)
                         : "install it, correct [sshd] unit, or set [sshd] manage = no"})};
}

std::string ensure_sshd(Services& services, const SshdFacts& facts, const Config::Sshd& config) {
    if (const auto findings = judge_sshd(facts, config); !findings.empty())
        throw Failure(findings.front());
    // Starting the service beside its socket would stop the socket, which is what the operator has chosen.
    if (facts.socket_listens)
        return fmt::format("{} listens", socket_of(facts.unit));
    try {
        if (wants_enabling(facts.enablement))
            services.enable(facts.unit);
        if (facts.service.active != "active")
            services.start(facts.unit);
    } catch (const SystemFailure& failure) {
        throw Failure(Reason::sshd_unmanageable, failure.what(),
                      fmt::format("look at 'systemctl status {}', or set [sshd] manage = no", facts.unit));
    }
    return fmt::format("{} was {} and {}", facts.unit,
                       facts.enablement.empty() ? "not enabled" : facts.enablement, facts.service.active);
}

void try_ensure_sshd(Job& job) {
    if (!job.config.sshd.manage)
        return;
    auto& services = job.ports.services;
    const auto& config = job.config.sshd;
    try {
        job.note += ensure_sshd(services, look_at_sshd(services, config, job.state.sshd), config);
    } catch (const Failure& failure) {
        job.findings.push_back(warning(failure.problem()));
    } catch (const SystemFailure& failure) {
        job.findings.push_back(warning({Reason::sshd_unmanageable, failure.what(),
                                        fmt::format("look at 'systemctl status {}'", config.unit)}));
    }
}

} // namespace um
