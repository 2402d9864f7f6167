#include "base/time.hpp"

#include "base/failure.hpp"

#include <ctime>
#include <fmt/core.h>

namespace um {

std::string iso8601(std::chrono::system_clock::time_point time) {
    const std::time_t seconds_since_1970 = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    gmtime_r(&seconds_since_1970, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::int64_t unix_seconds(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

} // namespace um
