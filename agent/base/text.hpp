#pragma once
// Text of others, for journals, logs and terminals.

#include <cstddef>
#include <string>

namespace um {

/// Each byte that belongs to no character becomes U+FFFD: journalctl shows a field with one as a blob, and a
/// log's reader may stop at it.
std::string as_utf8(const std::string& raw);

/// At most so many bytes, and no half character at the end.
std::string cut(std::string text, std::size_t limit);

} // namespace um
