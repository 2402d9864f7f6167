#pragma once
// Times as text.

#include <chrono>
#include <string>

namespace um {

/// UTC in ISO 8601, as in "2026-11-22T09:47:00Z".
std::string iso8601(std::chrono::system_clock::time_point time);

/// Seconds since 1970.
std::int64_t unix_seconds(std::chrono::system_clock::time_point time);

} // namespace um
