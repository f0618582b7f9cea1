// A timer that is set again and again, under its owner's lock.
//
// Problem. A sched::timer fires once and may then not be touched until `fire` has begun; who sets it anew at that
// moment would have it in a heap and on its way to `fire` at the same time. And its owner may go away while `fire` is
// on its way.
//
// Invariant, under the owner's lock. `pending` means that the timer is in a heap, or that a `fire` is on its way that
// has not taken the owner's lock yet. There is never more than one of both. The time that is wanted is `target` alone;
// a timer in a heap is due then or earlier.
//
// Steps. set:    target = t; pending: if it is in the heap and due by then, that is all (setting it later is free);
//                else take it off the heap; not there any more: its `fire` comes and looks at `target`. Not pending:
//                arm.
//        clear:  target = never; pending: take it off the heap; not there: its `fire` comes and finds nothing to do.
//        fire:   the owner's lock; `arrived`: pending = false, and is target reached? If not: `resume` arms it again.
// The owner may be destroyed when nothing is pending, which `clear` tells; else it waits until `fire` has had the lock.
// So the heap named by a pending timer is alive: whoever takes it down calls `fire` before (sched/timers.hpp).
#pragma once

#include "src/os/lock.hpp"
#include "src/sched/timers.hpp"

namespace rove::time {

// What an alarm is made of. The model checker brings its own (test/model/alarm_model.cpp).
struct real_timers {
  using timer = sched::timer;
  template <class T>
  using plain = T;
  static void arm(timer* t) { sched::arm(t); }
};

template <class P>
class basic_alarm : public P::timer {
 public:
  using timer = typename P::timer;

  // `ring` is the timer's `fire`: any thread, a machine's own stack, no lock held.
  explicit basic_alarm(void (*ring)(timer*)) { this->fire = ring; }
  basic_alarm(const basic_alarm&) = delete;
  basic_alarm& operator=(const basic_alarm&) = delete;

  // ---- all with the owner's lock held
  bool is_set() const { return target_ != os::never; }
  bool pending() const { return pending_; }

  // It is to ring at `at` or soon after; os::never: not at all. True: nothing was pending before, now it is.
  bool set(os::nanoseconds at) {
    target_ = at;
    if (at == os::never) return clear(), false;
    const bool was_pending = pending_;
    if (was_pending && (this->when <= at || !this->heap->disarm(this))) return false;
    this->when = at;
    P::arm(this);
    pending_ = true;
    return !was_pending;
  }

  // It is not to ring. True: nothing is pending (any more).
  bool clear() {
    target_ = os::never;
    if (pending_ && this->heap->disarm(this)) pending_ = false;
    return !pending_;
  }

  // The first thing that `ring` does under the lock. True: it was to ring by now, and is not set any more.
  bool arrived(os::nanoseconds now) {
    pending_ = false;
    if (target_ > now) return false;
    target_ = os::never;
    return true;
  }

  // If it has not arrived: waits on.
  void resume() { set(target_); }

 private:
  typename P::template plain<os::nanoseconds> target_{os::never};
  typename P::template plain<bool> pending_{false};
};

using alarm = basic_alarm<real_timers>;

// Clears the alarm of an owner that goes away and waits until no `ring` is on its way.
inline void silence(os::lock& owner, alarm& a) {
  for (;;) {
    {
      os::hold h(owner);
      if (a.clear()) return;
    }
    os::yield_thread();
  }
}

}  // namespace rove::time
