// {fmt} is compiled once, here. Header-only, it costs every file that formats a line five seconds, and Debian
// packages no static library of it. All other files include <fmt/core.h> and use the functions emitted here.

#define FMT_HEADER_ONLY
#include <fmt/format.h>

namespace um {

[[gnu::used]] std::string (*const fmt_vformat)(fmt::string_view, fmt::format_args) = &fmt::vformat;
[[gnu::used]] void (*const fmt_format_error)(const char*) = &fmt::detail::throw_format_error;
[[gnu::used]] void (*const fmt_assert)(const char*, int, const char*) = &fmt::detail::assert_fail;

} // namespace um
