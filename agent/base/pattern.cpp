#include "base/pattern.hpp"

#include <stdexcept>

namespace um {

void Pattern::Release::operator()(regex_t* compiled) const noexcept {
    regfree(compiled);
    delete compiled;
}

Pattern::Pattern(const std::string& expression) {
    auto compiled = std::make_unique<regex_t>();
    if (const int error = regcomp(compiled.get(), expression.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB);
        error != 0) {
        char text[256] = {};
        regerror(error, compiled.get(), text, sizeof text);
        throw std::invalid_argument(text);
    }
    compiled_.reset(compiled.release());
}

bool Pattern::found_in(const std::string& text) const {
    return regexec(compiled_.get(), text.c_str(), 0, nullptr, 0) == 0;
}

} // namespace um
