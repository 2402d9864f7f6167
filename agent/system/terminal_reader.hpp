#pragma once
// Finds out whether a process waits for what is typed. The kernel knows that, whatever a program has printed.

#include <string>

namespace um {

/// Whether a process is blocked in read(2) on this terminal (its path), or in select(2) for it alone as its
/// standard input. /proc/PID/syscall shows that, proc(5). A process that waits in another way, such as
/// poll(2), is not seen.
bool is_read(const std::string& terminal);

} // namespace um
