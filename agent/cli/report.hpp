#pragma once
// What `check`, `status` and `history` print: text for a person, and JSON for a machine.

#include "procedure/check.hpp"

#include <optional>
#include <string>

namespace um {

/// What is running now.
struct Activity {
    bool running = false;
    std::string text;      ///< what it reports about itself
    std::string boot_id{}; ///< of this boot
};

/// `width`: the terminal's columns, where lines are broken; 0: they are not broken, for a program that reads
/// them.
std::string check_text(const CheckResult& result, std::size_t width = 0);
std::string check_json(const CheckResult& result);
std::string status_text(const std::optional<State>& state, const Activity& activity, std::size_t width = 0);
/// One closed upgrade in full.
std::string record_text(const State& state, std::size_t width = 0);
std::string history_text(const std::vector<State>& records);
std::string history_json(const std::vector<State>& records);
std::string status_json(const std::optional<State>& state, const Activity& activity);

} // namespace um
