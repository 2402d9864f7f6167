#pragma once
// What the values of the configuration may look like. Every function turns a text into a value, and throws
// InvalidValue.

#include "base/failure.hpp"

#include <chrono>
#include <cstddef>
#include <fmt/core.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace um::values {

/// Its message is what would be right. The code that reads the file adds the file and the line.
using InvalidValue = std::invalid_argument;

template <class Enum>
struct Choice {
    std::string_view name;
    Enum value;
};

template <class Enum, std::size_t N>
Enum choice(const std::string& text, const Choice<Enum> (&choices)[N]) {
    std::string names;
    for (const auto& [name, value] : choices) {
        if (text == name)
            return value;
        names += fmt::format("{}'{}'", names.empty() ? "" : " or ", name);
    }
    throw InvalidValue(names);
}

/// Words separated by spaces or tabs. "Double quotes" keep them in a word.
std::vector<std::string> words(const std::string& text);
std::string absolute(const std::string& text);
std::string plain_path(const std::string& text);
std::string some_text(const std::string& text);
std::vector<std::string> some_words(const std::string& text);
std::chrono::seconds duration(const std::string& text);
/// How long a running program may print nothing: at least one minute.
std::chrono::seconds pause_of_work(const std::string& text);
std::string unit_name(const std::string& text);
std::string file_name(const std::string& text);
std::vector<std::string> unit_names(const std::string& text);
std::vector<std::string> patterns(const std::string& text);
/// Absolute paths of whole directories below '/'.
std::vector<std::string> trees(const std::string& text);
/// Alternatives separated by '|', because subjects contain spaces and commas.
std::vector<std::string> signers(const std::string& text);
std::string certificate_source(const std::string& text);

} // namespace um::values
