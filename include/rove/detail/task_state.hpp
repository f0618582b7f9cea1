// What a goroutine that somebody may join leaves behind: lives with its closure, in the goroutine's descriptor or on
// its stack, which are given back by whoever joins it.
#pragma once

#include <atomic>
#include <cstdint>

#include <rove/detail/config.hpp>
#include <rove/detail/switch.hpp>
#include <rove/detail/waiter.hpp>

#if ROVE_EXCEPTIONS
#include <exception>
#endif

namespace rove::detail {

struct task_state {
  std::uint32_t lock = 0;                    // an os::lock; guards what follows until `done`
  std::uint8_t lock_rank = 0;                // the rest of it, in a library that checks the order of locks
  std::atomic<bool> done{false};
  bool dropped = false;                      // nobody will join: it gives its stack back itself
  bool has_value = false;                    // false when done: it threw, called goexit, or was ended
  waiter* first = nullptr;                   // those who join
  waiter* last = nullptr;
  sched::goroutine* g = nullptr;
  void (*destroy_value)(task_state*) = nullptr;
#if ROVE_EXCEPTIONS
  std::exception_ptr error;
#endif
};

// Waits until the goroutine has left its stack for good. The waiter's result: granted, timed_out (only while the caller
// itself is being ended), or ended.
departure task_join_begin(task_state* s, waiter& w);
// After the switch back: throws if the goroutine was ended meanwhile.
void task_join_end(task_state* s, waiter& w);
// The handle goes away: waits until it is done, destroys what is left and gives the stack back. If the caller is ended
// while it waits, the goroutine does the rest by itself. Never throws.
void task_drop(task_state* s) noexcept;
// The panic of a get() that has no value to give.
[[noreturn]] void task_no_value();

}  // namespace rove::detail
