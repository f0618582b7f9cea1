// Parking and waking: a door of the scheduler. The one way to block, and the one way back.
//
// Problem. A goroutine that blocks puts itself in a queue and leaves its stack; a waker that takes it out of the queue
// in between would have it run on two threads at once.
//
// Invariant. A goroutine is resumed only after its stack was left. Who queues a waiter holds the lock of that queue
// until then: the lock is released by the *commit*, which runs on the next stack, right after the switch.
//
// Steps.  parker:  1 object's lock.  2 nothing to be had: waiter into the queue.  3 park(): choose where to go, state =
//                  waiting.  4 switch.  5 (next stack) commit: release the object's lock.
//         waker:   1 object's lock.  2 waiter out of the queue, its result written.  3 release.  4 wake(waiter).
// Taking the waiter out of the queue is the claim: closing, timing out and ending all do it under the same lock, and the
// first wins. The waker does not touch the waiter after `wake`, and the object not after its lock's release.
//
// The switch stands in the frame of the operation itself (the public header inlines it), so the functions here only
// say where to go: a `departure`. `to` is null if there is nothing to wait for any more.
//
// A wait with a time limit carries a `deadline`, a timer in the waiter's own frame. It is armed under the object's lock, with
// the waiter queued; when it fires it claims the waiter like any waker, by taking it out of its queue. Whoever was woken
// settles the deadline before anything else: it disarms it, or waits until the callback is done with the frame.
//
// Pairs. DEADLINE-DONE: release by the callback when it touches the frame no more, acquire by who settles.
//        WAITER-WOKEN: release by the waker of a plain thread, acquire by the thread: it sees the result.
//
// Rejected: a flag "has left its stack" that the waker polls (it spins on another thread's progress).
#pragma once

#include <rove/detail/waiter.hpp>

#include "src/os/lock.hpp"
#include "src/sched/goroutine.hpp"
#include "src/sched/timers.hpp"

namespace rove::sched {

// Called with `lock` held and `w` in its queue (w.g, w.object and w.unlink set by `prepare`). In a goroutine: where to
// go. On a plain thread: releases the lock, sleeps until woken, and returns a departure without a target.
detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock);

// A limit to one wait, in the frame of whoever waits. os::never: none.
class deadline : timer {
 public:
  deadline(detail::waiter& w, os::nanoseconds limit);
  deadline(const deadline&) = delete;
  deadline& operator=(const deadline&) = delete;

  // After the departure, before the waiter's result is believed: from here on nobody touches the frame. In between the
  // result may be `timed_out`.
  void settle();

 private:
  friend detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock, deadline& limit);
  void arm();
  static void expire(timer* t);

  detail::waiter& waiter_;
  std::atomic<std::uint32_t> done_{0};   // the callback is
};

// The same with a limit. On a plain thread the limit is over, too, when it returns.
detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock, deadline& limit);

// All in one, for waits that need not be fast: queued and with `lock` held, waits until somebody ends the wait or the
// limit is reached, and returns how it ended.
detail::outcome wait(detail::waiter& w, wait_reason reason, os::lock& lock, os::nanoseconds limit = os::never);

// Fills in who waits. Before the waiter is queued.
void prepare(detail::waiter& w, void* object, bool (*unlink)(detail::waiter*, detail::outcome));

// Makes the waiter's goroutine runnable, or wakes its thread. Not with an object's lock held.
void wake(detail::waiter* w);

// The same for a goroutine that waits without a waiter's help.
void ready(goroutine* g);

// Parks for ever: a nil channel, a select without cases. Only the end of the runtime resumes it.
detail::departure park_for_ever(detail::waiter& w, wait_reason reason);

// Ends the wait of a goroutine that was ended: throws, or without exceptions abandons its stack.
[[noreturn]] void unwind_current();

// The running goroutine is being unwound, or an exception is in flight: it cannot be unwound by another now.
bool is_unwinding();

// The running goroutine is on a host's thread, which is to do other things while it waits.
bool is_on_host();

// For who waits, without a queue, until somebody else has done a few more instructions: the CPU is given away. In a
// deterministic run (rove::test) that somebody may be a goroutine of the same thread, and others go on first. With no
// lock held; throws nothing.
void give_way();

// In a deterministic run (rove::test): a choice below n (n > 0) by its seed; false elsewhere.
bool seeded_choice(std::uint32_t n, std::uint32_t& chosen);

// Where the running goroutine keeps its goroutine_locals; null on a plain thread.
detail::local_node** locals_of_current();

// ---- only in a build with debug_checks (partners.cpp)

// Not a thread that runs goroutines, nor one that is lent to do so.
bool is_plain_thread();
// Does any runtime go on, or could somebody else come whom the deadlock report waits for, too?
bool anybody_left();
// Fatal unless it waits. Before it is made runnable by whoever took it off its queue.
void check_waits(const goroutine* g);
// A runtime has been made; its last goroutine is gone, and there will be no other.
void note_runtime_begins();
void note_runtime_over();

}  // namespace rove::sched
