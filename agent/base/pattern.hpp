#pragma once
// Extended regular expressions, regex(7). Case is ignored. Operators know them from grep -E -i.

#include <memory>
#include <string>

#include <regex.h>

namespace um {

class Pattern {
public:
    /// Throws std::invalid_argument with the C library's message.
    explicit Pattern(const std::string& expression);
    bool found_in(const std::string& text) const;

private:
    struct Release {
        void operator()(regex_t* compiled) const noexcept;
    };
    std::unique_ptr<regex_t, Release> compiled_;
};

} // namespace um
