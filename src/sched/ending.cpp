// The end of a goroutine by goexit, and of all goroutines with their runtime.
//
// Problem. When main returns, every other goroutine ends: a parked one is resumed to unwind its stack, wherever it
// waits; a running one at its next call that can park. A waker may be about to resume the same goroutine meanwhile.
//
// Invariant. While the sweep looks at a goroutine that waits, nobody resumes it; so its frame, its waiter and what it
// waits on stay. A waiter leaves its queue once: the sweep takes it off under the queue's lock, like any waker.
//
// Steps. 1 ending_ = true.                                                                              ENDING
//        2 The runtime is watched (watch.cpp): `attention` is set and every queue shut once as a thief does. After that each
//          dispatch goes through the machine's loop, whose `execute` resumes a goroutine once it had end_lock_.
//        3 shut_ = true and sweep, under end_lock_: every goroutine in state `waiting` whose waiter can be taken off its queue gets the
//          result `ended` and becomes runnable; it throws when it resumes.
//        4 Who parks after the sweep passed arrives in the machine's loop (step 2), which looks at it again under
//          end_lock_, once shut_ is set; before that somebody could still be resumed the short way, and the sweep to come
//          will see whoever waits by then.
//        5 Calls that can park look at detail::ending first and throw at once.
//        6 Who waits for other goroutines (wait_group::wait, a join) is passed over by 3 to 5, also if it is being unwound:
//          those it waits for end too, and may use what lies in its frame until then. Only when nothing moves any more
//          is its wait ended.
//        7 When the last goroutine is gone: finished_ = 1, the machines go home.
// A goroutine whose state the sweep reads too early stored `leaving` before its dispatch; that dispatch entered the
// queue's section either before step 2 shut it (then the store is visible to the sweep) or after (then step 4).
// One that runs while it is looked at may end, and begin anew in a runtime that is not watched by us: it is then found
// waiting there, though its home was ours a moment before. So whoever was seen waiting is looked at once more. The second
// look sees the home of the life in which it waited, or of a later one. If that is ours and it still waits, it waits here,
// and stays: a later life begins as dead, not as waiting, to who sees its home (HOME).
// Rejected: a claim word exchanged by every waker (a locked instruction for each wake, for something that happens once).
//
// Pairs. ENDING: release of ending_, of `leaving` and of the section with the acquire loads that see them.
//        HOME: release of the home in a new life, acquire by who looks: it sees the end of the life before.
#include "src/sched/ending.hpp"

#include <rove/run.hpp>

#include "src/arch/sanitizer.hpp"
#include "src/base/check.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/park.hpp"
#include "src/sched/registry.hpp"
#include "src/sched/simulation.hpp"

namespace rove {

// With debug_checks every call looks closer: locks note their owners (src/sync/held.hpp).
std::atomic<std::uint32_t> detail::ending{os::debug_checks ? 1 : 0};

namespace sched {

goroutine_end::~goroutine_end() {
  if (g_) base::fatal("rove: goroutine end was swallowed");
}

// ---- one goroutine ---------------------------------------------------------------------------------------------------

void unwind_current() {
  goroutine* const g = current();
  g->flags |= goroutine::flag_unwinding;
#if ROVE_EXCEPTIONS
  if (!(g->home()->abandons() && g->home()->is_ending())) throw goroutine_end(g);
#endif
  g->locals = nullptr;  // abandoned with all that it owned
  leave_for_good(g);
}

// ---- all of a runtime ------------------------------------------------------------------------------------------------

void ender::begin(scheduler& s) {
  if (s.ending_.exchange(true, std::memory_order_acq_rel)) return;  // ENDING
  detail::ending.fetch_add(1, std::memory_order_relaxed);           // relaxed: a hint; end_check reads ending_
  s.begin_watch(scheduler::watch_ending);
  sweep(s, who::not_for_goroutines);
  check_finished(s);
  end_the_rest(s);
}

// Under end_lock_: takes a waiting goroutine off what it waits on. True: it is to be made runnable.
bool ender::end_wait(const scheduler& s, goroutine* g, who which) {
  const auto waits_here = [&] { return g->home_now() == &s && has_parked(g); };  // HOME
  if (!waits_here() || !waits_here()) return false;
  const bool for_goroutines = g->reason == wait_reason::wait_group_wait || g->reason == wait_reason::task_join;
  if (for_goroutines && which != who::all) return false;
  detail::waiter* const w = g->waiting_on;
  if (!w || !w->unlink(w, detail::outcome::ended)) return false;
  g->state.store(goroutine_state::runnable, std::memory_order_relaxed);  // relaxed: the queue hands it over
  probe_ready(nullptr, g);
  return true;
}

void ender::sweep(scheduler& s, who which) {
  struct visit {
    scheduler* s;
    who which;
    base::chain<goroutine> ended;
  } all{&s, which, {}};
  {
    os::hold h(s.end_lock_);
    s.shut_ = true;
    for_each_goroutine(
        [](void* argument, goroutine* g) {
          auto* const v = static_cast<visit*>(argument);
          if (end_wait(*v->s, g, v->which)) v->ended.push_back(g);
        },
        &all);
  }
  if (!all.ended.empty()) s.inject(all.ended);
}

void ender::after_switch(scheduler& s, machine* m) {
  goroutine* const g = m->last_left;
  bool ended = false;
  {
    os::hold h(s.end_lock_);
    ended = s.shut_ && end_wait(s, g, who::not_for_goroutines);
  }
  if (ended) s.inject(g);
  check_finished(s);
}

void ender::end_the_rest(scheduler& s) {
  {
    os::hold h(s.lock_);
    if (!s.stuck_locked(false) || s.alive() == 0) return;
  }
  sweep(s, who::all);
}

void ender::check_finished(scheduler& s) {
  const std::uint32_t* lent[8];
  unsigned n = 0;
  {
    os::hold h(s.lock_);  // two that end at the same time see each other's count
    if (s.alive() != 0 || s.finished_.load(std::memory_order_relaxed) != 0) return;  // relaxed: lock
    if constexpr (os::debug_checks) note_runtime_over();
    s.finished_.store(1, std::memory_order_release);                                 // FINISHED
    for (machine* m = s.machines_; m && n < std::size(lent); m = m->next)
      if (m->lent && m->idle) {
        s.remove_idle_machine_locked(m);
        lent[n++] = s.note_locked(m);
      }
  }
  while (n-- > 0)
    if (lent[n]) os::futex_wake(lent[n], 1);
  os::futex_wake(reinterpret_cast<const std::uint32_t*>(&s.finished_), INT32_MAX);
}

void scheduler::begin_end() { ender::begin(*this); }

void scheduler::end_and_wait() {
  begin_end();
  if (!config_.own_threads || has_hosts()) return end_by_polling();
  while (finished_.load(std::memory_order_acquire) == 0)  // FINISHED
    os::futex_wait(reinterpret_cast<const std::uint32_t*>(&finished_), 0);
}

}  // namespace sched

namespace detail {

bool end_check() {
  sched::goroutine* const g = sched::current();
  if (!g) return false;
  check_not_forked();
  if (sched::simulation* const s = g->home()->simulated()) s->point();
  if (!g->home()->is_ending()) return false;
  if (sched::is_unwinding()) return true;
  sched::unwind_current();
}

}  // namespace detail

void goexit() {
  sched::goroutine* const g = sched::current();
  if (!g) detail::throw_panic("rove: goexit called outside a goroutine");
  if (g->flags & sched::goroutine::flag_main) g->home()->main_called_goexit();
  sched::unwind_current();
}

}  // namespace rove
