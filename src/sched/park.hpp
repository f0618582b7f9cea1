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
// Pairs. WAITER-WOKEN: release by the waker of a plain thread, acquire by the thread: it sees the result.
//
// Rejected: a flag "has left its stack" that the waker polls (it spins on another thread's progress).
#pragma once

#include <rove/detail/waiter.hpp>

#include "src/os/lock.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

// Called with `lock` held and `w` in its queue (w.g, w.object and w.unlink set by `prepare`). In a goroutine: where to
// go. On a plain thread: releases the lock, sleeps until woken, and returns a departure without a target.
detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock);

// Fills in who waits. Before the waiter is queued.
void prepare(detail::waiter& w, void* object, bool (*unlink)(detail::waiter*));

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
// It is, and its runtime ends: a call that would park returns as if timed out.
bool returns_at_once();

}  // namespace rove::sched
