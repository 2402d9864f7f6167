#pragma once
// INI text to entries, with the line of each: inih does the parsing, this closes its gaps.

#include <stdexcept>
#include <string>
#include <vector>

namespace um {

struct IniEntry {
    std::string section;
    std::string name;
    std::string value;
    unsigned line = 0; ///< counted from 1
};

/// Carries the line at which the text went wrong.
class IniError : public std::runtime_error {
public:
    IniError(unsigned line, const std::string& what) : std::runtime_error(what), line_(line) {}
    unsigned line() const noexcept { return line_; }

private:
    unsigned line_;
};

/// What stands between the parts of a value that goes on over indented lines.
enum class Continuation { joined_by_space, joined_tightly };

/// inih cuts lines of 200 bytes or more without a word and drops a key without a value's fault
/// position; both are errors here. Throws IniError. Duplicate keys are left to the caller to judge.
std::vector<IniEntry> parse_ini(const std::string& text,
                                Continuation continuation = Continuation::joined_by_space);

} // namespace um
