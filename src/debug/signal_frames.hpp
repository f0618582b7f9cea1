// A backtrace from a signal handler: nothing allocated, nothing demangled.
#pragma once

#include "src/debug/text.hpp"

namespace rove::debug {

// Writes the running stack's frames, with names as linked (c++filt reads them), the innermost 50. Only the thread that
// ends the process may call it: it takes over the handlers of faults, for the walk itself may fault.
void put_backtrace_in_signal(stderr_text& out);

}  // namespace rove::debug
