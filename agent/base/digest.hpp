#pragma once
// Digests of media, and the algorithms that make them.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace um {

/// From the weakest to the strongest.
enum class DigestAlgorithm { sha1, sha256, sha384, sha512 };

/// The usual spelling, such as "SHA-256".
std::string_view name(DigestAlgorithm algorithm);

/// Digests in lower-case hexadecimal, by algorithm.
using Digests = std::map<DigestAlgorithm, std::string>;

} // namespace um
