#pragma once
// The manifest (.mf): the digests of the ISO, as the release engineer wrote them down. It may be hostile
// until its signature is verified. So it is parsed strictly, and a line that is not understood is an error.

#include "base/digest.hpp"

#include <string>
#include <vector>

namespace um {

struct ManifestEntry {
    DigestAlgorithm algorithm{};
    std::string digest; ///< lower-case hexadecimal
    std::string name;   ///< of the file, without a leading "./"
};

/// Reads the lines of coreutils (`HEX  NAME`, `HEX *NAME`, with `\` escapes), and those of OpenSSL and BSD
/// (`SHA1(NAME)= HEX`, `SHA256 (NAME) = HEX`). CRLF, blank lines and `#` comments are allowed. Throws Failure
/// (manifest.malformed), which names the line.
std::vector<ManifestEntry> parse_manifest(const std::string& text);

/// The digests that the manifest gives for `iso_name`: at least one, and each algorithm once. Throws Failure
/// (manifest.no-entry, manifest.duplicate).
Digests digests_for(const std::vector<ManifestEntry>& entries, const std::string& iso_name);

} // namespace um
