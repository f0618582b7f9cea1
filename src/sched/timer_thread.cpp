// The library's own timer thread: serves the timers that are armed where there is no processor, on plain threads.
//
// One heap and one thread for the process, made at first use and never taken down: the heap is never destroyed, since
// threads may outlive main. The thread sleeps until the heap's next due time; who arms an earlier timer sets its note.
//
// Steps. thread:  1 note = 0.  2 look at the heap under its lock: next due.  3 due: serve; else sleep while note is 0.
//        armer:   1 into the heap, under its lock.  2 it is the earliest: note = 1, wake.
// An armer whose step 1 comes after the thread's step 2 finds the thread before or in its sleep, with step 1 of the
// thread before step 2 of its own: the note is 1, and the sleep ends. One that comes before is seen in step 2.
//
// Deadlock detection wants to know whether a timer of this heap may still wake somebody: it looks at the heap's size
// first and then whether the thread is serving. A timer that was taken off is seen there until what it woke is in a
// queue.
//
// Pairs. TIMER-OUTSIDE: releases of the size after a timer was taken off, of `serving` after its callback, of the
// heap's address, with the acquires of deadlock detection.
//        TIMER-NOTE: release by who armed, acquire by the thread that takes the note back: it sees the heap's lock free
//        and
// the timer in it.
#include "src/sched/timers.hpp"

#include "src/base/check.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {
namespace {

class timer_server {
 public:
  void arm(timer* t) {
    bool earliest;
    {
      os::hold h(heap_.lock());
      heap_.arm_locked(t);
      earliest = t->index == 0;
      if (!started_) start_locked();
    }
    if (!earliest) return;
    note_.store(1, std::memory_order_release);  // TIMER-NOTE
    os::futex_wake(reinterpret_cast<std::uint32_t*>(&note_), 1);
  }

 private:
  void start_locked() {
    started_ = true;
    os::thread_handle handle;
    const auto body = [](void* self) { static_cast<timer_server*>(self)->serve(); };
    if (os::start_thread(handle, {"rove-timers", thread_kind::timers, 0, 0}, body, this) != 0)
      base::fatal("rove: cannot start a thread");
    os::detach_thread(handle);
    timers_outside.heap.store(&heap_, std::memory_order_release);  // TIMER-OUTSIDE
  }

  [[noreturn]] void serve() {
    os::precise_timers(true);
    for (;;) {
      note_.exchange(0, std::memory_order_acquire);  // TIMER-NOTE
      os::nanoseconds due;
      {
        os::hold h(heap_.lock());
        due = heap_.next_due();
      }
      if (due > os::now()) {
        os::futex_wait(reinterpret_cast<std::uint32_t*>(&note_), 0, due);
        continue;
      }
      timers_outside.serving.store(true, std::memory_order_relaxed);   // relaxed: the heap's lock follows
      heap_.run_due(os::now());
      timers_outside.serving.store(false, std::memory_order_release);  // TIMER-OUTSIDE
    }
  }

  timer_heap heap_;
  std::atomic<std::uint32_t> note_{0};
  bool started_ = false;  // under the heap's lock
};

timer_server& server() {
  static timer_server& one = *new timer_server;
  return one;
}

}  // namespace

constinit outside_timers timers_outside;

void arm(timer* t) {
  const machine* const m = this_machine();
  if (m && m->p) {
    timer_heap& here = m->p->timers;
    os::hold h(here.lock());
    return here.arm_locked(t);
  }
  if (goroutine* const g = current()) return g->home()->arm_from_outside(t);
  server().arm(t);
}

}  // namespace rove::sched
