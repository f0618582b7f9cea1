// Work that a signal asks for and that no signal handler could do.
#pragma once

namespace rove::debug {

// From now on the signal has `work` done, on a thread that waits for nothing else: several signals that come while it
// is at work count as one. The first call's `work` counts for all. `started`: that thread was started by this call. 0
// or a negative errno.
int work_on_signal(int signal, void (*work)(), bool& started);

}  // namespace rove::debug
