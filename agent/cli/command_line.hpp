#pragma once

#include "base/vocabulary.hpp"

#include <chrono>
#include <string>
#include <variant>

namespace um {

/// The parsed command line.
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

/// Returns the options, or the exit code after help or the version was printed. Throws UsageError.
std::variant<Options, ExitCode> parse_command_line(int argc, char** argv);

} // namespace um
