// The machine's loop: what to run next when the short way (dispatch.hpp) does not know, in this order: what was handed
// over, the own queue, the global queue (queues.cpp), due timers, other processors' queues (hunt.cpp); then sleep.
#include "src/sched/scheduler.hpp"

#include <cerrno>

#include "src/sched/dispatch.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/host.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

// ---- the loop --------------------------------------------------------------------------------------------------------

void scheduler::work(machine* m) {
  while (goroutine* const g = find_work(m)) {
    execute(m, g);
    if (m->on_background) [[unlikely]] priorities()->left_background(m);
  }
}

goroutine* scheduler::find_work(machine* m) {
  for (;;) {
    if (stop_machines_.load(std::memory_order_acquire)) return nullptr;          // STOP
    if (m->until && m->until->load(std::memory_order_acquire)) return nullptr;   // FINISHED
    if (m->wired) return rest_wired(m);
    if (m->poll_until && (!m->p || poll_is_over(m))) [[unlikely]] return nullptr;
    if (!m->p) {
      rest(m);
      continue;
    }
    if (wanted_.load(std::memory_order_relaxed) < active_.load(std::memory_order_relaxed)) [[unlikely]] {  // relaxed: the lock decides
      if (retire(m)) continue;
    }
    goroutine* g = take_local(m);
    if (!g) g = take_global(m->p, m->spinning ? m : nullptr);
    if (!g && (serve_timers(*m->p, os::now()) || look_at_poller(m))) continue;
    if (priority_queues* const q = g ? nullptr : priorities()) [[unlikely]] g = q->take(m);
    if (!g) g = hunt(m);
    if (g) {
      found_work(m);
      return g;
    }
    if (m->poll_until) return nullptr;
    rest(m);
  }
}

// There are more processors than wanted: this one's work goes to the others.
bool scheduler::retire(machine* m) {
  bool wake;
  {
    os::hold h(lock_);
    if (!retire_if_too_many_locked(m->p)) return false;
    m->p = nullptr;
    wake = !global_empty_locked() && idle_.idle() > 0;
  }
  stop_searching(m);
  if (wake) wake_one();
  return true;
}

void scheduler::found_work(machine* m) {
  if (!m->spinning) return;
  stop_searching(m);
  // What made this one awake may be work for more than one.
  if (idle_.idle() > 0 && idle_.searching() == 0 && anything_queued()) wake_one();
}

void scheduler::execute(machine* m, goroutine* g) {
  if (g->flags & special) [[unlikely]] {
    if (g->flags & goroutine::flag_hosted) return g->host->push(g);
    if (g->wired() && g->wire != m) return hand_to_wired(m, g);
    if (g->flags & goroutine::flag_blocking) {  // it parked inside `blocking`, and goes on there
      count_blocked();
      release_processor(m);
    }
  }
  resume(m, g);
}

// From the machine's own stack to the goroutine's, until somebody comes back.
void scheduler::resume(machine* m, goroutine* g) {
  g->state.store(goroutine_state::running, std::memory_order_relaxed);       // WATCH
  base::real_atomics::light_fence();                                         // WATCH
  if (watch_.load(std::memory_order_acquire)) [[unlikely]] dispatch_watched(m, g);  // WATCH
  if (g->flags & goroutine::flag_unborn) give_first_frame(m->p, g);
  detail::context* const left = detail::switch_stacks(m->leave(&m->g0, g).from, g);
  m->last_left = as_goroutine(left);
  if (m->slice) [[unlikely]] trace_leave(m, as_goroutine(left));  // before the commit: it may run elsewhere after that
  left->commit(left);
  if (is_ending()) [[unlikely]] ender::after_switch(*this, m);
  if (!m->p) [[unlikely]] uncount_blocked();  // last: until here nothing else may tell that something goes on
}

// ---- rest ------------------------------------------------------------------------------------------------------------

// Without work: gives the processor away and sleeps until there is some. Returns when there may be something to do.
void scheduler::rest(machine* m) {
  bool last = false;
  {
    os::hold h(lock_);
    if (m->p && (!global_.empty() || (!global_new_.empty() && !hold_back_locked()) || priority_work_locked())) return;
    if (stop_machines_.load(std::memory_order_relaxed) ||
        (m->until && m->until->load(std::memory_order_relaxed)))  // relaxed: both are set before the lock is taken
      return;
    m->note.store(0, std::memory_order_relaxed);  // relaxed: lock
    if (processor* const p = m->p) {
      m->p = nullptr;
      push_idle_processor_locked(p);
    }
    if (m->spinning) {
      m->spinning = false;
      idle_.stop_searching();
    }
    push_idle_machine_locked(m);
    last = idle_.idle() == active_.load(std::memory_order_relaxed);  // relaxed: lock
    if (last) idle_.raise_flag();                                     // whoever has a processor next takes the lock first
  }
  if (!m->saw_busy && !last) {
    idle_.raise_flag();                                               // SOFT-WAKE
    idle_.fence_after_raise();                                        // SOFT-WAKE
    if (anything_queued() && leave_sleep(m)) return;
  }
  m->saw_busy = false;
  if (last) check_deadlock();
  sleep(m);
}

// Takes an idle processor back without having been woken, if there is still one. True: awake (or granted meanwhile).
bool scheduler::leave_sleep(machine* m) {
  os::hold h(lock_);
  if (!m->idle) return take_grant_locked(m);
  processor* const p = pop_idle_processor_locked(m->previous);
  if (!p) return false;
  remove_idle_machine_locked(m);
  m->p = p;
  if (idle_.start_searching(UINT32_MAX)) m->spinning = true;
  return true;
}

// Under the lock: one sleeper looks after the timers of all, one after the descriptors.
scheduler::watch scheduler::become_keeper(machine* m) {
  watch w;
  os::hold h(lock_);
  if (!m->idle) return w;
  if (poller_needs_keeper_locked()) {
    w.poller = source();
    polling_ = m;
    m->polling = true;
  }
  if (timers_need_keeper_locked()) {
    keeper_ = m;
    w.until = keeper_until_ = next_due();
  }
  return w;
}

void scheduler::sleep_on_note(machine* m, os::nanoseconds until) {
  int woken = 0;
  while (m->note.load(std::memory_order_acquire) == 0 && woken != -ETIMEDOUT)  // NOTE
    woken = os::futex_wait(reinterpret_cast<std::uint32_t*>(&m->note), 0, until);
}

void scheduler::sleep_in_poller(machine* m, const watch& w, base::chain<goroutine>& ready) {
  while (m->note.load(std::memory_order_acquire) == 0 && ready.empty()) {  // NOTE
    w.poller->wait(ready, w.until);
    if (w.until != os::never && os::now() >= w.until) return;
  }
}

void scheduler::sleep(machine* m) {
  bool awake = false;
  for (bool may_keep = true; !awake; may_keep = false) {
    const watch w = may_keep ? become_keeper(m) : watch{};
    base::chain<goroutine> ready;
    if (w.poller)
      sleep_in_poller(m, w, ready);
    else
      sleep_on_note(m, w.until);
    {
      os::hold h(lock_);
      if (keeper_ == m) keeper_ = nullptr;
      if (polling_ == m) polling_ = nullptr;
      m->polling = false;
      if (!m->idle) {
        awake = take_grant_locked(m);
      } else {
        m->note.store(0, std::memory_order_relaxed);  // relaxed: lock
        // None is idle: those who hold them look after timers and descriptors, and whoever rests next keeps them.
        if (processor* const p = pop_idle_processor_locked(m->previous)) {
          remove_idle_machine_locked(m);
          m->p = p;
          awake = true;
        }
      }
    }
    take_ready(m, ready);
  }
}

// ---- descriptors -----------------------------------------------------------------------------------------------------

// A batch from the poller becomes this processor's, or everybody's.
void scheduler::take_ready(machine* m, base::chain<goroutine> ready) {
  if (ready.empty()) return;
  trace_instant(m, trace_kind::poll, ready.count);
  if constexpr (base::probes)
    for (const goroutine* g = ready.first; g; g = g->link) probe_ready(nullptr, g);
  if (!m->p) return queue_up(ready);
  const bool several = ready.count > 1;
  while (goroutine* const g = ready.pop_front()) {
    trace_wake(m, g);
    if (g->near == goroutine::far) [[unlikely]]
      queue_up(g);
    else
      run_soon(m->p, g);
  }
  if (several) wake_softly_if_wanted();
}

bool scheduler::look_at_poller(machine* m) {
  poll_source* const s = source();
  if (!s || !s->in_use()) return false;
  base::chain<goroutine> ready;
  s->look(ready);
  const bool some = !ready.empty();
  take_ready(m, ready);
  return some;
}

}  // namespace rove::sched
