#include "base/version.hpp"

#include <cstddef>

namespace um {
namespace {

// ASCII only, whatever the locale is: rpm does the same.
bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool part_of_version(char c) {
    return digit(c) || letter(c) || c == '~' || c == '^';
}

void drop_separators(std::string_view& text) {
    while (!text.empty() && !part_of_version(text.front()))
        text.remove_prefix(1);
}

template <class Belongs>
std::string_view take_while(std::string_view& text, Belongs belongs) {
    std::size_t length = 0;
    while (length < text.size() && belongs(text[length]))
        ++length;
    const auto taken = text.substr(0, length);
    text.remove_prefix(length);
    return taken;
}

int compare_numbers(std::string_view left, std::string_view right) {
    take_while(left, [](char c) { return c == '0'; });
    take_while(right, [](char c) { return c == '0'; });
    if (left.size() != right.size())
        return left.size() < right.size() ? -1 : 1;
    return left.compare(right);
}

bool starts_with(std::string_view text, char c) {
    return !text.empty() && text.front() == c;
}

} // namespace

int compare_versions(std::string_view left, std::string_view right) {
    for (;;) {
        drop_separators(left);
        drop_separators(right);
        // '~' sorts before everything, even before the end of the version.
        if (starts_with(left, '~') || starts_with(right, '~')) {
            if (!starts_with(left, '~'))
                return 1;
            if (!starts_with(right, '~'))
                return -1;
            left.remove_prefix(1);
            right.remove_prefix(1);
            continue;
        }
        // '^' sorts after the end of the version, but before any other part.
        if (starts_with(left, '^') || starts_with(right, '^')) {
            if (left.empty())
                return -1;
            if (right.empty())
                return 1;
            if (!starts_with(left, '^'))
                return 1;
            if (!starts_with(right, '^'))
                return -1;
            left.remove_prefix(1);
            right.remove_prefix(1);
            continue;
        }
        if (left.empty() || right.empty())
            break;
        const bool numeric = digit(left.front());
        const auto left_part = numeric ? take_while(left, digit) : take_while(left, letter);
        const auto right_part = numeric ? take_while(right, digit) : take_while(right, letter);
        if (right_part.empty()) // a number is newer than letters
            return numeric ? 1 : -1;
        const int order = numeric ? compare_numbers(left_part, right_part) : left_part.compare(right_part);
        if (order != 0)
            return order;
    }
    if (left.empty() && right.empty())
        return 0;
    return left.empty() ? -1 : 1;
}

} // namespace um
