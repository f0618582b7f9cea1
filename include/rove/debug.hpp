// Looking inside a running program: every goroutine with its backtrace.
#pragma once

#include <csignal>
#include <iosfwd>
#include <system_error>

// Looking inside a running program.
namespace rove::debug {

// Writes every goroutine of every runtime of the process, in the form of the reports: id, name, state or wait reason
// and for how many minutes, backtrace, where it was started. Safe while everything runs: the others go on meanwhile,
// and each goroutine is shown as it was at one moment, though not all at the same. One that runs at that moment has no
// backtrace (but for the caller's own). Any thread, any goroutine; blocks nothing, but each dispatch is a little slower
// while it lasts, and a goroutine's stack is looked at with dispatches of its runtime held up for some 10 us.
// Allocates; throws what `out` throws.
void dump(std::ostream& out);

// From now on this signal writes such a dump to stderr, and the program goes on; a thread of the library's own does it,
// so the signal may come at any time and on any thread. Replaces the signal's handler. May be called for several
// signals. The error is the system's: not a signal that can be caught, or no thread.
std::error_code dump_on_signal(int signal = SIGQUIT);

}  // namespace rove::debug
