#include "base/digest.hpp"

#include <array>

namespace um {

std::string_view name(DigestAlgorithm algorithm) {
    constexpr std::array<std::string_view, 4> names{"SHA-1", "SHA-256", "SHA-384", "SHA-512"};
    return names.at(static_cast<std::size_t>(algorithm));
}

} // namespace um
