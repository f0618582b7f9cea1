// Looking for other processors' work: what is worth taking, and whether it was. The rules are in idle.hpp.
#include <algorithm>
#include <utility>

#include "src/sched/priority.hpp"
#include "src/sched/probes.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

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

}  // namespace rove::sched
