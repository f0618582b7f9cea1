// Timers, one heap a processor: a door of the scheduler.
//
// A timer is armed on a heap and fires once: whoever serves the heap takes it off under the heap's lock and calls
// `fire(argument)` after the lock was given back. Taking it off is the claim: `disarm` is true for exactly one of
// {it fired, somebody disarmed it}. The timer's memory belongs to who armed it and must live until one of them is true;
// the heap does not touch it after `fire` was called.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"

namespace rove::sched {

class timer_heap;

struct timer {
  os::nanoseconds when = 0;
  void (*fire)(timer*) = nullptr;
  timer_heap* heap = nullptr;      // where it is armed; set by arm
  std::size_t index = not_armed;   // under the heap's lock

  static constexpr std::size_t not_armed = SIZE_MAX;
};

// A 4-ary min-heap: half as deep as a binary one, four children in one cache line.
class timer_heap {
 public:
  os::lock& lock() { return lock_; }

  void arm_locked(timer* t);
  bool disarm_locked(timer* t);      // false: it fired already, or is about to
  bool disarm(timer* t);

  // Fires what is due. Returns how many.
  std::size_t run_due(os::nanoseconds now);

  // The next due time without the lock; os::never if none. A hint: the lock decides.
  os::nanoseconds next_due() const { return next_due_.load(std::memory_order_relaxed); }  // relaxed: hint

  std::size_t size_hint() const { return size_.load(std::memory_order_relaxed); }  // relaxed: statistics

 private:
  struct entry {
    os::nanoseconds when;
    timer* t;
  };
  void place(std::size_t i, entry e);
  void sift_up(std::size_t i, entry e);
  void sift_down(std::size_t i, entry e);
  void remove_at(std::size_t i);
  void publish();

  os::lock lock_{os::rank::timers};
  std::vector<entry> heap_;
  std::atomic<os::nanoseconds> next_due_{os::never};
  std::atomic<std::size_t> size_{0};
};

// The heap of the processor that the caller runs on; null on a plain thread and inside `blocking`.
timer_heap* current_timers();

}  // namespace rove::sched
