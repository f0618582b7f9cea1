// A place in a queue of those who wait: lives in the frame of whoever waits, goroutine or plain thread.
#pragma once

#include <atomic>
#include <cstdint>

#include <rove/detail/switch.hpp>

namespace rove::sched {
struct goroutine;
}

namespace rove::detail {

// Why a goroutine is parked, as reports say it.
enum class wait_reason : std::uint8_t {
  none, chan_receive, chan_send, chan_receive_nil, chan_send_nil, select, select_no_cases, sleep, mutex_lock,
  rwmutex_lock, rwmutex_rlock, wait_group_wait, cond_wait, semacquire, io_wait, task_join, latch, barrier, event,
};

// How a wait ended. Written once, by whoever takes the waiter off its queue, under the lock of that queue.
enum class outcome : std::uint8_t {
  pending,     // it waits
  granted,     // it got what it waited for
  closed,      // the channel was closed
  timed_out,
  canceled,
  ended,       // the goroutine was ended by its runtime
  selecting,   // it waits, as a case of a select (detail/select_case.hpp)
};

// Only `result` and `woken` have values from the start: sched::prepare fills in the rest where it comes to waiting.
struct waiter {
  waiter* next;
  waiter* prev;
  sched::goroutine* g;                          // null: a plain thread
  void* value;                                  // a channel's element: to be filled, or taken from
  void* object;                                 // what it waits on
  bool (*unlink)(waiter*, outcome why);         // leaves the queue if it still waits; true if so: the outcome is `why`
  std::atomic<std::uint32_t> woken{0};          // a plain thread sleeps on it
  outcome result = outcome::pending;

  waiter() {}  // not = default: that would clear it all
};

// Nonzero while some runtime of the process is ending: the fast paths of whatever can park look at it.
extern std::atomic<std::uint32_t> ending;

// Fatal in the child of a fork: no thread of the runtime came along.
void check_not_forked();

// For a call that can park, when `ending` is set: throws if this goroutine is to end now. True: it is unwinding
// already, so the call must not park but return as if timed out.
bool end_check();

}  // namespace rove::detail
