#pragma once
// The manifest (.mf): which digests the release engineer wrote down for the ISO. Hostile until its
// signature is verified, so it is parsed strictly: a line that is not understood is an error.

#include "base/digest.hpp"

#include <string>
#include <vector>

namespace um {

struct ManifestEntry {
    DigestAlgorithm algorithm{};
    std::string digest; ///< lower-case hexadecimal
    std::string name;   ///< of the file, a leading "./" removed
};

/// The lines of coreutils (`HEX  NAME`, `HEX *NAME`, with `\` escapes) and of OpenSSL and BSD
/// (`SHA1(NAME)= HEX`, `SHA256 (NAME) = HEX`), CRLF, blank lines and `#` comments.
/// Throws Failure (manifest.malformed) that names the line.
std::vector<ManifestEntry> parse_manifest(const std::string& text);

/// The digests that the manifest gives for `iso_name`: at least one, each algorithm once.
/// Throws Failure (manifest.no-entry, manifest.duplicate).
Digests digests_for(const std::vector<ManifestEntry>& entries, const std::string& iso_name);

} // namespace um
