#pragma once
// Does anybody wait for what is typed? The kernel knows, whatever a program has printed.

#include <string>

namespace um {

/// Whether a process is blocked in read(2) on this terminal (its path), or in select(2) for it alone as its
/// standard input, as /proc/PID/syscall tells, proc(5). Who waits in another way, as with poll(2), is not
/// seen.
bool is_read(const std::string& terminal);

} // namespace um
