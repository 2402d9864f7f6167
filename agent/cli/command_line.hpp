#pragma once

#include "base/vocabulary.hpp"

#include <chrono>
#include <string>
#include <variant>

namespace um {

/// The command line, parsed.
struct Options {
    std::string command;
    std::string config; ///< --config FILE
    std::string media;  ///< --media PATH
    bool json = false;
    bool follow = false;
    std::string snapshot_name;
    std::chrono::seconds valid_for{24 * 3600};
    std::string why;
    std::string id; ///< of the upgrade to show
};

/// The options; or the exit code, where help or the version was asked for and printed. Throws UsageError.
std::variant<Options, ExitCode> parse_command_line(int argc, char** argv);

} // namespace um
