// Parking, waking, yielding: the books of leaving a stack.
#include "src/sched/park.hpp"

#include <cerrno>
#include <exception>

#include <rove/run.hpp>

#include "src/sched/deadlock.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/simulation.hpp"
#include "src/sched/trace.hpp"

namespace rove {
namespace sched {
namespace {

void commit_unlock(detail::context* c) {
  note_stack_left(as_goroutine(c));
  static_cast<os::lock*>(as_goroutine(c)->commit_argument)->unlock();
}

void commit_nothing(detail::context* c) { note_stack_left(as_goroutine(c)); }

// The section was entered before the goroutine put itself into the lane: thieves wait until it has left its stack.
void commit_leave_section(detail::context* c) {
  static_cast<processor*>(as_goroutine(c)->commit_argument)->queue.section().leave();
}

// It goes on soon, after others had their turn: from the machine's own stack.
void commit_requeue(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  machine* const m = this_machine();
  scheduler* const home = g->home();
  const bool far = g->near == goroutine::far;
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  if (m->p && !far)
    home->run_soon(m->p, g);
  else
    home->queue_up(g);
}

// Over the machine's own stack, which runs `to` first if it is given.
detail::departure yield_the_long_way(machine* m, goroutine* g, goroutine* to) {
  if (to) m->p->handed = to;
  return depart_to(m, g, &m->g0, commit_requeue, nullptr);
}

bool unlink_for_ever(detail::waiter* w, detail::outcome why) {
  w->result = why;
  return true;
}

// By way of the global queue, or seen by a trace or a deterministic run.
[[gnu::noinline, gnu::cold]] void ready_slow(machine* m, goroutine* g) {
  trace_wake(m, g);
  if constexpr (base::probes) probe_ready(m ? m->g : nullptr, g);
  if (g->near == goroutine::far) return g->home()->queue_up(g);
  if (m && m->p && m->home == g->home())
    ready_here(m, g);
  else
    g->home()->inject_from_outside(g);
  if (simulation* const s = simulation_on(m)) s->point();
}

// A plain thread waits: sleeps on its waiter. When the limit is reached it takes itself off the queue, unless a waker did
// and is about to wake it.
[[gnu::cold]] void block_thread(detail::waiter& w, wait_reason reason, os::lock& lock, os::nanoseconds limit = os::never) {
  // Whoever joins a goroutine cannot be what that goroutine waits for.
  plain_thread_in_call in_call(reason != wait_reason::task_join);
  lock.unlock();
  while (w.woken.load(std::memory_order_acquire) == 0)  // WAITER-WOKEN
    if (os::futex_wait(reinterpret_cast<std::uint32_t*>(&w.woken), 0, limit) == -ETIMEDOUT) {
      if (w.unlink(&w, detail::outcome::timed_out)) return;
      limit = os::never;
    }
}

}  // namespace

void prepare(detail::waiter& w, void* object, bool (*unlink)(detail::waiter*, detail::outcome)) {
  w.g = current();
  w.object = object;
  w.unlink = unlink;
}

detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock) {
  if constexpr (os::debug_checks) os::check_ranks_at_park(1);
  goroutine* const g = w.g;
  if (!g) {
    block_thread(w, reason, lock);
    return {};
  }
  g->waiting_on = &w;
  return park_here(g->m, g, reason, commit_unlock, &lock);
}

// ---- limits ----------------------------------------------------------------------------------------------------------

deadline::deadline(detail::waiter& w, os::nanoseconds limit) : waiter_(w) {
  when = limit;
  fire = expire;
}

void deadline::arm() {
  if (when == os::never) return;
  if (timer_heap* const here = current_timers()) {
    os::hold h(here->lock());
    here->arm_locked(this);
  } else {
    waiter_.g->home()->arm_from_outside(this);
  }
}

void deadline::expire(timer* t) {
  auto* const d = static_cast<deadline*>(t);
  detail::waiter* const w = &d->waiter_;
  const bool claimed = w->unlink(w, detail::outcome::timed_out);
  d->done_.store(1, std::memory_order_release);           // DEADLINE-DONE; if not claimed, the frame may be gone
  if (claimed) wake(w);
}

void deadline::settle() {
  if (!heap || heap->disarm(this)) return;
  while (done_.load(std::memory_order_acquire) == 0)      // DEADLINE-DONE
    os::yield_thread();
}

detail::departure park(detail::waiter& w, wait_reason reason, os::lock& lock, deadline& limit) {
  if (w.g) {
    limit.arm();
    return park(w, reason, lock);
  }
  if constexpr (os::debug_checks) os::check_ranks_at_park(1);
  block_thread(w, reason, lock, limit.when);
  return {};
}

detail::outcome wait(detail::waiter& w, wait_reason reason, os::lock& lock, os::nanoseconds limit) {
  deadline d(w, limit);
  const detail::departure away = park(w, reason, lock, d);
  if (away.to) detail::depart(away);
  d.settle();
  return w.result;
}

detail::departure park_for_ever(detail::waiter& w, wait_reason reason) {
  if constexpr (os::debug_checks) os::check_ranks_at_park(0);
  prepare(w, nullptr, unlink_for_ever);
  if (!w.g) {
    os::lock lock(os::rank::object);
    lock.lock();
    block_thread(w, reason, lock);
  }
  w.g->waiting_on = &w;
  return park_here(w.g->m, w.g, reason, commit_nothing, nullptr);
}

void wake(detail::waiter* w) {
  if (w->g) [[likely]]
    return ready(w->g);
  w->woken.store(1, std::memory_order_release);  // WAITER-WOKEN; the waiter may be gone from here on
  os::futex_wake(reinterpret_cast<std::uint32_t*>(&w->woken), 1);
}

void ready(goroutine* g) {
  if constexpr (os::debug_checks) check_waits(g);
  __builtin_prefetch(g->sp);  // it runs soon, and its frame has gone cold
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  machine* const m = this_machine();
  if (m && m->p && m->quick_number() == g->near) [[likely]] {
    probe_ready(m->g, g);
    return ready_here(m, g);
  }
  ready_slow(m, g);
}

detail::local_node** locals_of_current() {
  goroutine* const g = current();
  return g ? &g->locals : nullptr;
}

void give_way() {
  if (simulation* const s = simulation_on(this_machine())) s->give_way();
  os::yield_thread();
}

bool seeded_choice(std::uint32_t n, std::uint32_t& chosen) {
  simulation* const s = simulation_on(this_machine());
  if (s) chosen = s->below(n);
  return s != nullptr;
}

bool is_on_host() {
  const goroutine* const g = current();
  return g && (g->flags & goroutine::flag_hosted) && g->blocking_depth == 1;
}

bool is_unwinding() {
  const goroutine* const g = current();
  return (g && (g->flags & goroutine::flag_unwinding)) || std::uncaught_exceptions() > 0;
}

}  // namespace sched

namespace detail {

departure yield_begin() {
  using namespace sched;
  machine* const m = this_machine();
  if (!m || m->g == &m->g0) {
    os::yield_thread();
    return {};
  }
  if (ending.load(std::memory_order_relaxed) && end_check()) [[unlikely]] return {};  // relaxed: end_check looks closer
  goroutine* const g = m->g;
  processor* const p = m->p;
  if (!p) return g->flags & goroutine::flag_hosted ? yield_the_long_way(m, g, nullptr) : departure{};
  auto& section = p->queue.section();
  const bool long_way = p->count_dispatch() % processor::slice == 0 || (g->flags & special);
  if (long_way || !section.enter()) [[unlikely]] return yield_the_long_way(m, g, nullptr);
  if (p->attention.load(std::memory_order_relaxed)) [[unlikely]] {  // relaxed: ordered by the section, see watch.cpp
    section.leave();
    return yield_the_long_way(m, g, nullptr);
  }
  goroutine* to = p->queue.take();
  if (!to) {
    section.leave();
    to = m->home->take_global(p);
    if (!to) return {};
    if (!section.enter()) [[unlikely]] return yield_the_long_way(m, g, to);
    if (p->attention.load(std::memory_order_relaxed)) [[unlikely]] {  // relaxed: ordered by the section, see ending.cpp
      section.leave();
      return yield_the_long_way(m, g, to);
    }
  }
  if (!can_switch_to(p, to) || !p->queue.put_last(g)) [[unlikely]] {
    section.leave();
    return yield_the_long_way(m, g, to);
  }
  g->state.store(goroutine_state::runnable, std::memory_order_relaxed);  // relaxed: the queue hands it over
  to->state.store(goroutine_state::running, std::memory_order_relaxed);  // relaxed: as above
  return depart_to(m, g, to, commit_leave_section, p);
}

}  // namespace detail
}  // namespace rove
