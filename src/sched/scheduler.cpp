// The machine's loop: what to run next when the short way (dispatch.hpp) does not know, in this order:
// what was handed over, the own queue, the global queue, due timers, other processors' queues; then sleep.
#include "src/sched/scheduler.hpp"

#include <cerrno>
#include <utility>

#include "src/base/check.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/host.hpp"
#include "src/sched/park.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/sysmon.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

// ---- queues --------------------------------------------------------------------------------------------------------

void scheduler::run_soon(processor* p, goroutine* g) {
  auto& section = p->queue.section();
  while (!section.enter()) os::yield_thread();
  const auto spilled = p->queue.put_woken(g);
  section.leave();
  if (!spilled.empty()) [[unlikely]] inject(spilled);
}

void scheduler::inject(goroutine* g) {
  base::chain<goroutine> one;
  one.push_back(g);
  inject(one);
}

void scheduler::inject(base::chain<goroutine> chain) {
  lock_.lock();
  global_.append(chain);
  publish_global_locked();
  const bool wake = idle_.idle() > 0 && idle_.searching() == 0;
  lock_.unlock();
  if (wake) wake_one();
}

// Where its flags want it.
void scheduler::queue_up(goroutine* g) {
  if (g->flags & goroutine::flag_hosted) return g->host->push(g);
  priority_queues* const q = g->flags & with_priority ? priorities() : nullptr;
  if (!q) return inject(g);
  visitors_.fetch_add(1, std::memory_order_relaxed);  // relaxed: see inject_from_outside
  q->push(g);
  visitors_.fetch_sub(1, std::memory_order_release);  // VISITORS
}

// Some that became runnable on a thread without a processor.
void scheduler::queue_up(base::chain<goroutine> chain) {
  base::chain<goroutine> others;
  while (goroutine* const g = chain.pop_front())
    if (g->near == goroutine::far) [[unlikely]]
      queue_up(g);
    else
      others.push_back(g);
  if (!others.empty()) inject(others);
}

bool scheduler::priority_work_locked() const {
  const priority_queues* const q = priorities();
  return q && q->work_locked();
}

// Once g is queued it may run, be the last one and end the runtime, before this thread has woken a machine for it. The
// destructor waits until nobody is here any more: it comes after g's end, g's run after the queue's lock, and that
// after the first line, so a visitor whose goroutine is gone is always seen. VISITORS: release by who leaves, acquire by
// the destructor.
void scheduler::inject_from_outside(goroutine* g) {
  visitors_.fetch_add(1, std::memory_order_relaxed);  // relaxed: the queue's lock comes behind it
  inject(g);
  visitors_.fetch_sub(1, std::memory_order_release);  // VISITORS: the scheduler may be gone from here on
}

void scheduler::inject_new(base::chain<goroutine> chain) {
  {
    os::hold h(lock_);
    global_new_.append(chain);
    publish_global_locked();
  }
  wake_softly_if_wanted();
}

void scheduler::publish_global_locked() {
  global_size_.store(global_.count + global_new_.count, std::memory_order_relaxed);  // relaxed: a hint, exact under the lock
}

// A share of the global queue for a processor that has nothing else; the first of it is returned.
goroutine* scheduler::take_global(processor* p, machine* searcher) {
  if (global_size_.load(std::memory_order_relaxed) == 0) return nullptr;  // relaxed: rest() looks under the lock
  const auto share = [this](std::size_t n) {
    return std::min<std::size_t>(n / active_.load(std::memory_order_relaxed) + 1, 128);  // relaxed: a number
  };
  base::chain<goroutine> woken, fresh;
  lock_.lock();
  for (std::size_t n = share(global_.count); n > 0 && !global_.empty(); --n) woken.push_back(global_.pop_front());
  if (woken.empty() && !(searcher && hold_back_locked()))
    for (std::size_t n = share(global_new_.count); n > 0 && !global_new_.empty(); --n)
      fresh.push_back(global_new_.pop_front());
  publish_global_locked();
  lock_.unlock();
  if (searcher && !fresh.empty()) note_theft(searcher, fresh.count);
  goroutine* const g = woken.empty() ? fresh.pop_front() : woken.pop_front();
  while (goroutine* const other = woken.pop_front()) run_soon(p, other);
  keep_new(p, fresh);
  return g;
}

goroutine* scheduler::take_one_global(bool new_one) {
  if (global_size_.load(std::memory_order_relaxed) == 0) return nullptr;  // relaxed: rest() looks under the lock
  os::hold h(lock_);
  goroutine* const g = new_one && !global_new_.empty() ? global_new_.pop_front() : global_.pop_front();
  publish_global_locked();
  return g;
}

// New goroutines from elsewhere, oldest first, come to lie in this processor's lane.
void scheduler::keep_new(processor* p, base::chain<goroutine> chain) {
  if (chain.empty()) return;
  auto& section = p->queue.section();
  while (!section.enter()) os::yield_thread();
  base::chain<goroutine> spilled;
  while (goroutine* const g = chain.pop_front()) spilled.append(p->queue.put_fresh(g));
  section.leave();
  if (!spilled.empty()) [[unlikely]] inject_new(spilled);
}

goroutine* scheduler::take_local(machine* m) {
  processor* const p = m->p;
  if (goroutine* const g = p->handed) {
    p->handed = nullptr;
    return g;
  }
  const bool slice_over = p->slice_over();
  if (priority_queues* const q = priorities()) [[unlikely]]
    if (goroutine* const g = q->take_first(m, slice_over)) return g;
  auto turn = decltype(p->queue)::turn::woken;
  if (slice_over) {
    turn = p->next_turn(os::now());
    serve_timers(*p, p->looked_at);
    if (poll_source* const s = source(); s && s->due(p->looked_at, poll_source::look_every)) look_at_poller(m);
    using turns = decltype(turn);
    const bool new_one = turn == turns::oldest || (turn == turns::newest && !p->queue.has_new());
    if (goroutine* const g = take_one_global(new_one)) return g;
  }
  auto& section = p->queue.section();
  while (!section.enter()) os::yield_thread();
  goroutine* const g = slice_over ? p->queue.take_in_turn(turn) : p->queue.take();
  section.leave();
  return g;
}

// Fires timers, whosever they are, as long as p has room for whom they wake. If more are due than can be run they are
// late in the order of their time, before new goroutines begin: a backlog of woken ones in the global queue would not
// get smaller, since each slice would be spent on firing what fell due in the one before.
bool scheduler::serve_timers(processor& p, os::nanoseconds now) {
  std::size_t fired = 0;
  const std::size_t most = std::max(p.queue.room_for_woken(), least_fired);
  for_each_processor([&](processor& other) {
    if (other.timers.next_due() <= now && fired < most) fired += other.timers.run_due(now, most - fired);
  });
  return fired > 0;
}

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

// ---- looking for other processors' work ------------------------------------------------------------------------------

goroutine* scheduler::steal_from(machine* m, processor& victim) {
  auto& section = victim.queue.section();
  if (!section.enter_as_thief()) return nullptr;
  auto loot = victim.queue.steal();
  section.leave_as_thief();
  if (loot.empty()) return nullptr;
  m->p->steals.add(loot.count);
  trace_instant(m, trace_kind::steal, loot.count);
  probe_steal(m->p->id, victim.id, loot.count);
  note_theft(m, loot.count);
  goroutine* const g = loot.pop_front();
  while (goroutine* const other = loot.pop_front()) run_soon(m->p, other);
  return g;
}

// New goroutines are left to the processor that had no room for them, if thefts do not pay; but not if nobody else runs.
bool scheduler::hold_back_locked() const {
  const bool others_run = idle_.idle() + 1 < active_.load(std::memory_order_relaxed);  // relaxed: lock
  return others_run && reluctance_.holds(os::now());
}

void scheduler::note_theft(machine* m, std::size_t items) {
  m->theft_at = os::now();
  m->theft_items = items;
}

// One look around: takes new samples, or judges by the old ones and steals. `busy`: somebody has work we did not take.
bool scheduler::look_at_victims(machine* m, unsigned first, sample* samples, os::nanoseconds now,
                                os::nanoseconds elapsed, bool judge_now, goroutine*& found, bool& busy) {
  const unsigned all = processor_count_.load(std::memory_order_acquire);  // PROC-TABLE
  for (unsigned i = 0; i < std::min(all, machine::max_victims); ++i) {
    processor& victim = *processors_[(first + i) % all];
    if (&victim == m->p) continue;
    const std::uint32_t tick = victim.tick.load(std::memory_order_relaxed);  // relaxed: a sample
    const std::uint32_t length = victim.queue.length();
    if (judge_now) {
      const verdict v = judge(samples[i], tick, length, elapsed);
      if (v == verdict::worth_it && !reluctance_.holds(now) && (found = steal_from(m, victim))) return true;
      if (v != verdict::nothing) busy = true;
    }
    samples[i] = {tick, length > 0};
  }
  return false;
}

goroutine* scheduler::hunt(machine* m) {
  // Whoever waits for a peer of this machine rather leaves it the CPU: a hunt of two looks then, or of none.
  const poll_source* const polled = source();
  const bool brief = m->poll_until != 0 || (polled && polled->in_use());
  const std::uint32_t running = active_.load(std::memory_order_relaxed) - idle_.idle();  // relaxed: a bound
  if (brief && running <= 1 && m->theft_items == 0) return nullptr;
  if (!m->spinning) {
    if (!idle_.start_searching((running + 1) / 2)) return nullptr;
    m->spinning = true;
  }
  sample samples[machine::max_victims];
  const unsigned start = m->random.next() % most_processors;
  const os::nanoseconds begin = os::now();
  if (m->theft_items > 0) reluctance_.judge(begin, begin - m->theft_at, std::exchange(m->theft_items, 0));
  os::nanoseconds sampled = begin;
  bool first = true, busy = false;
  const os::nanoseconds patience = brief ? 2 * look_again : machine::patience;
  for (os::nanoseconds now = begin; now - begin < patience; now = os::now()) {
    if (goroutine* const g = take_global(m->p, m)) return g;
    if (priority_queues* const q = priorities()) [[unlikely]]
      if (goroutine* const g = q->take(m)) return g;
    if (stop_machines_.load(std::memory_order_relaxed) || (m->until && m->until->load(std::memory_order_relaxed)))
      return nullptr;  // relaxed: find_work looks properly
    if (serve_timers(*m->p, now)) return take_local(m);
    if (first || now - sampled >= look_again) {
      goroutine* found = nullptr;
      if (look_at_victims(m, start, samples, now, now - sampled, !first, found, busy)) return found;
      first = false;
      sampled = now;
    }
    for (int i = 0; i < 8; ++i) base::real_atomics::pause();
  }
  if (busy)
    idle_.lower_flag();  // what there is moves fast enough where it is
  m->saw_busy = busy;
  return nullptr;
}

bool scheduler::anything_queued() const {
  if (reluctance_.holds(os::now())) return false;                  // hard work was looked for under the lock
  bool queued = global_size_.load(std::memory_order_relaxed) > 0;  // relaxed: after a heavy fence
  for_each_processor([&](processor& p) { queued = queued || p.queue.length() > 0; });
  return queued;
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
