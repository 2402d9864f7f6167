#pragma once
// What `check` and `status` print: for a person, and as JSON for a machine.

#include "procedure/check.hpp"

#include <optional>
#include <string>

namespace um {

/// What works now.
struct Activity {
    bool running = false;
    std::string text;      ///< what it says of itself
    std::string boot_id{}; ///< of this boot
};

/// `width`: columns of the terminal, where lines are broken; 0: they are not, for a program that reads them.
std::string check_text(const CheckResult& result, std::size_t width = 0);
std::string check_json(const CheckResult& result);
std::string status_text(const std::optional<State>& state, const Activity& activity, std::size_t width = 0);
/// One closed upgrade in full.
std::string record_text(const State& state, std::size_t width = 0);
std::string history_text(const std::vector<State>& records);
std::string history_json(const std::vector<State>& records);
std::string status_json(const std::optional<State>& state, const Activity& activity);

} // namespace um
