// Calls that hold up a thread: a door of the scheduler.
//
// Between `enter_blocking` and `exit_blocking` the goroutine runs without a processor: the machine stays with it, and the
// processor goes on with other goroutines on another machine, at once if work waits, else as soon as some arrives.
#pragma once

namespace rove::sched {

// From a goroutine; nests. On a plain thread nothing happens. Parks nothing.
void enter_blocking();
// Takes a processor again: the one it had, any idle one, or else the goroutine queues up for one. May switch threads.
void exit_blocking() noexcept;

// While there are any, nothing is a deadlock: threads of the library's own that will wake a goroutine, signals that are
// waited for. A change by 1 or -1.
void count_outside_wakers(int change);

}  // namespace rove::sched
