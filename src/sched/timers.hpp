// Timers, one heap a processor: a door of the scheduler.
//
// A timer is armed on a heap and fires once: whoever serves the heap takes it off under the heap's lock and calls
// `fire(argument)` after the lock was given back. Taking it off is the claim: `disarm` is true for exactly one of
// {it fired, somebody disarmed it}. The timer's memory belongs to who armed it and must live until one of them is true;
// the heap does not touch it after `fire` was called.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "src/os/lock.hpp"
#include "src/os/os.hpp"

namespace rove::sched {

class timer_heap;
class simulation;

// The clock that timers go by: the steady clock, or the virtual one in a deterministic run (rove::test).
os::nanoseconds now();

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

  // Fires what is due, the earliest first, but at most so many. Returns how many; 0 also if somebody else is at it: who
  // comes by need not queue for the heap's lock.
  std::size_t run_due(os::nanoseconds now, std::size_t most = SIZE_MAX);
  // Fires one of those that are due, chosen by the seed of a deterministic run. False: none is due. simulator.cpp
  bool fire_one_of(os::nanoseconds now, simulation& s);
  // Nobody will serve it any more: fires all, due or not.
  void run_all();

  // The next due time without the lock; os::never if none. A hint: the lock decides.
  os::nanoseconds next_due() const { return next_due_.load(std::memory_order_relaxed); }  // relaxed: hint

  std::size_t size_hint() const { return size_.load(std::memory_order_acquire); }         // TIMER-OUTSIDE

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
  std::atomic<bool> served_{false};  // somebody is firing what is due
};

// The heap of the processor that the caller runs on; null on a plain thread and inside `blocking`. In a deterministic
// run not null there: time jumps for who sleeps inside `blocking` as for others.
timer_heap* current_timers();

// Arms a timer where it will be served: in the heap of the processor that the caller runs on; inside `blocking` in one
// of the goroutine's runtime; on a plain thread in that of the library's own timer thread, which is started at first
// use. Any thread, also with an object's lock held. Where a timer may outlive the runtime that serves it, `fire` has to
// look at the clock: when a runtime goes away, what is still armed in its heaps is fired before its time (and may arm
// itself anew, elsewhere). After `fire` returned the heap is not touched any more, so whoever clears a flag in `fire`
// under a lock, and disarms under that lock only while the flag is set, never touches a heap that is gone.
void arm(timer* t);

// What deadlock detection has to know of the timer thread; the essay is in timer_thread.cpp.
struct outside_timers {
  std::atomic<const timer_heap*> heap{nullptr};   // null: there is no such thread
  std::atomic<bool> serving{false};

  bool thread_exists() const { return heap.load(std::memory_order_acquire) != nullptr; }         // TIMER-OUTSIDE
  bool may_wake_somebody() const {
    const timer_heap* const h = heap.load(std::memory_order_acquire);                             // TIMER-OUTSIDE
    return h && (h->size_hint() > 0 || serving.load(std::memory_order_acquire));                  // TIMER-OUTSIDE
  }
};
extern outside_timers timers_outside;

// A counted reference to a runtime, for callbacks that start a goroutine in it: it may be gone by then. home.cpp
class home_ref;
home_ref* current_home();                // of the goroutine that calls; null on a plain thread
void release_home(home_ref* h);
bool home_is_over(home_ref* h);          // it ends, or is gone
class home_handle {
 public:
  explicit home_handle(home_ref* adopted) noexcept : home_(adopted) {}
  home_handle(home_handle&& other) noexcept : home_(std::exchange(other.home_, nullptr)) {}
  home_handle& operator=(home_handle&&) = delete;
  ~home_handle() {
    if (home_) release_home(home_);
  }
  home_ref* get() const { return home_; }

 private:
  home_ref* home_;
};
// Starts a goroutine there that calls body(argument, true); or body(argument, false) if the runtime ends before it ran.
// False: the runtime is over, and nothing was started. Any thread, with no lock held.
bool start_in(home_ref* h, void* started_at, void (*body)(void* argument, bool run), void* argument);

}  // namespace rove::sched
