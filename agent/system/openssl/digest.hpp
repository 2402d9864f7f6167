#pragma once
// The digests of an ISO in one pass. Step 2.1 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// Reads the ISO from its first byte to its last. One reader fills a ring of buffers, and each digest works
/// on a thread of its own. Throws Failure (media.unreadable; media.changed when it ends early),
/// SystemFailure, Terminated, and whatever `on_progress` throws.
Digests digest_media(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                     const OnProgress& on_progress);

} // namespace um
