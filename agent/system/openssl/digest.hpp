#pragma once
// The digests of an ISO in one reading. Step 2.1 of the procedure.

#include "ports/crypto.hpp"

namespace um {

/// A reader fills a ring of buffers, and each digest works on a thread of its own. Throws Failure
/// (media.unreadable), SystemFailure, Terminated, and what `on_progress` throws.
Digests digest_media(const OpenMedia& media, const std::vector<DigestAlgorithm>& algorithms,
                     const OnProgress& on_progress);

} // namespace um
