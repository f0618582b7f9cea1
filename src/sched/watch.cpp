// Watching a runtime: somebody looks at goroutines that others may resume at any time (its end, a dump), or takes notes
// of who runs when (a trace).
//
// Problem. A dump walks stacks while the program runs, and the switch and the wake-up must not pay for it: no lock, no
// word to be claimed. A goroutine that is `waiting` when it is looked at may be woken, resumed and gone a microsecond
// later.
//
// Invariant. The runtime is watched, and the watcher holds its end_lock. Then, of a goroutine of it that the watcher
// finds `waiting`, or `runnable` and not unborn: nobody stands on its stack, nobody resumes it before the lock is given
// back.
//
// Steps. watcher: 1 watch_ != 0.                                                                            WATCH
//                 2 `attention` of every processor = true.
//                 3 shut every queue once as a thief does (which passes a heavy fence).                     WATCH
//                 4 end_lock, for one goroutine or a few: read the state, look, release.
//                 5 watch_ is back: `attention` = false, inside the queue, as a thief.
//        short way (dispatch.hpp), inside the queue's section: 1 `attention` is set: to the machine's loop.
//                 2 take, state = running.
//        the loop (execute): 1 state = running.  2 light fence.                                             WATCH
//                 3 watch_ != 0: take end_lock and give it back.  4 resume.
//        leaving (park): state = leaving before the stack is left, `waiting` in the commit.                 STACK-LEFT
//                 A yield the long way becomes `runnable` in its commit; the short way stays in the section until then.
//
// Why nobody resumes it. A dispatch by the short way was in its section before step 3, or sees `attention`. In the
// first case the watcher sees what it wrote: `running`. A dispatch by the loop wrote `running` before its fence and
// read watch_ after it; the watcher wrote watch_ before its heavy fence and reads the state after it. So the watcher
// sees `running`, or the loop sees watch_ and waits for end_lock; if it had the lock first, the watcher sees `running`.
// Why nobody stands on its stack. `waiting` is written by the commit, on the next stack; `runnable` by a waker that
// took the goroutine off its queue under the object's lock, which the commit released, or by a commit. A `leaving` one
// will be `waiting` after a few instructions of a thread that needs no lock for them: the watcher waits for it.
// Rejected: a signal to each thread (a host's threads, interrupted system calls); stopping the machines (a goroutine
// that computes never stops); a word that every dispatch claims (a locked instruction).
//
// The same detour over the loop is what a trace needs: it notes slices there. Wake-ups and starts take the long way
// while `machine::quick` is 0. Both are words that the short way looks at anyway.
//
// Pairs. WATCH: store of watch_ + heavy fence + load of the state against store of the state + light fence + load
//        of watch_.
//        STACK-LEFT: release of `waiting` or `runnable` with the watcher's acquire: it sees registers and frame.
#include "src/sched/scheduler.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

#if defined(ROVE_TRACE)
std::atomic<const trace_sink*> tracing{nullptr};
#endif

void trace_leave(machine* m, const goroutine* g) {
  if (const trace_sink* const t = traces()) t->leave(m, g);
  m->slice = nullptr;
}

void scheduler::begin_watch(std::uint32_t why) {
  watch_.fetch_add(why, std::memory_order_acq_rel);  // WATCH
  {
    os::hold h(lock_);  // a processor made after this starts with it
    for_each_processor([](processor& p) { p.attention.store(true, std::memory_order_relaxed); });  // relaxed: step 3
  }
  for_each_processor([](processor& p) {
    while (!p.queue.section().enter_as_thief()) os::yield_thread();
    p.queue.section().leave_as_thief();
  });
  base::real_atomics::heavy_fence();                 // WATCH
}

void scheduler::end_watch(std::uint32_t why) {
  os::hold h(lock_);
  if (watch_.fetch_sub(why, std::memory_order_acq_rel) != why) return;  // WATCH
  const bool frames = frames_wait();                   // then the processors' holders lower it, later
  for_each_processor([frames](processor& p) {
    while (!p.queue.section().enter_as_thief()) os::yield_thread();
    p.attention.store(frames, std::memory_order_relaxed);  // relaxed: section
    p.queue.section().leave_as_thief();
  });
}

bool scheduler::is_dumped_slow() {
  os::hold h(lock_);
  return watched_for() >= watch_dumped;
}

void scheduler::dispatch_watched(machine* m, goroutine* g) {
  { os::hold h(end_lock_); }  // whoever looked at it has finished
  trace_enter(m, g);
}

bool has_parked(const goroutine* g) {
  goroutine_state s;
  while ((s = g->state.load(std::memory_order_acquire)) == goroutine_state::leaving) os::yield_thread();  // STACK-LEFT
  return s == goroutine_state::waiting;
}

void scheduler::set_traced(bool on) {
  if (is_traced() == on) return;
  if (on) begin_watch(watch_traced);
  {
    os::hold h(lock_);
    for (machine* m = machines_; m; m = m->next)
      m->quick.store(on ? 0 : number_, std::memory_order_relaxed);  // relaxed: either way is right
  }
  if (!on) end_watch(watch_traced);
}

}  // namespace rove::sched
