#pragma once
// Turns INI text into entries, each with its line. inih does the parsing, and this closes its gaps.

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

/// How the parts of a value are joined that continues on indented lines.
enum class Continuation { joined_by_space, joined_tightly };

/// Throws IniError for whatever is neither a section, a key, a continued value nor a comment. Also an error
/// is what inih would silently cut or misread: a line or a section's name that is too long, a NUL byte, or
/// text behind a section's name. Duplicate keys are left to the caller to judge.
std::vector<IniEntry> parse_ini(const std::string& text,
                                Continuation continuation = Continuation::joined_by_space);

} // namespace um
