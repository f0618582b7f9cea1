// The hot half of parking and waking: what runs next without the machine's own stack, the books of leaving, making
// runnable. Inlined where it is used: a call more costs as much as what is done here.
#pragma once

#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

inline constexpr std::uint32_t with_priority = goroutine::flag_frame | goroutine::flag_background;
inline constexpr std::uint32_t special =
    goroutine::flag_wired | goroutine::flag_blocking | goroutine::flag_hosted | with_priority;

// A goroutine that is dispatched for the first time gets its stack. birth.cpp
void give_first_frame(processor* p, goroutine* g);

// May a goroutine be switched to right here? A special one is the loop's business, and so is a new one for which a stack
// has to be made: the caller may hold a channel's lock.
ROVE_ALWAYS_INLINE bool can_switch_to(processor* p, goroutine* to) {
  if ((to->flags & (special | goroutine::flag_unborn)) == 0) [[likely]] return true;
  if ((to->flags & special) || !(to->stack || p->stacks)) return false;
  give_first_frame(p, to);
  return true;
}

// Where `from` goes when it leaves: another goroutine, or the machine's own stack, whose loop does all that is rare.
// Counts a dispatch. The section is left again; `attention` is read inside it, so that ending.cpp can shut it out.
ROVE_ALWAYS_INLINE goroutine* next_to_run(machine* m, const goroutine* from) {
  processor* const p = m->p;
  if (!p || (from->flags & special)) [[unlikely]] return &m->g0;
  if (p->count_dispatch() % processor::slice == 0) [[unlikely]] return &m->g0;
  if (!p->queue.section().enter()) [[unlikely]] return &m->g0;
  goroutine* to = nullptr;
  if (!p->attention.load(std::memory_order_relaxed)) [[likely]]  // relaxed: ordered by the section, see ending.cpp
    to = p->queue.take();
  if (to) to->state.store(goroutine_state::running, std::memory_order_relaxed);  // relaxed: ordered by the section, see watch.cpp
  p->queue.section().leave();
  if (!to) return &m->g0;
  if (!can_switch_to(p, to)) [[unlikely]] {
    p->handed = to;
    return &m->g0;
  }
  return to;
}

ROVE_ALWAYS_INLINE detail::departure depart_to(machine* m, goroutine* g, goroutine* to, void (*commit)(detail::context*),
                                               void* argument) {
  g->commit = commit;
  g->commit_argument = argument;
  return m->leave(g, to);
}

ROVE_ALWAYS_INLINE detail::departure park_here(machine* m, goroutine* g, wait_reason reason,
                                               void (*commit)(detail::context*), void* argument) {
  processor* const p = m->p;
  g->reason = reason;
  probe_park(g);
  if (p) [[likely]] {
    g->parked_at.store(p->coarse_now.load(std::memory_order_relaxed), std::memory_order_relaxed);  // relaxed: a clock
    p->parks.add();
  }
  g->state.store(goroutine_state::leaving, std::memory_order_release);  // ENDING: the sweep reads waiting_on after it
  return depart_to(m, g, next_to_run(m, g), commit, argument);
}

// First in the commit of whoever parks: from here on its stack may be looked at, by who keeps it from being resumed.
ROVE_ALWAYS_INLINE void note_stack_left(goroutine* g) {
  g->state.store(goroutine_state::waiting, std::memory_order_release);  // STACK-LEFT
}

// Runnable, next on this machine's processor.
ROVE_ALWAYS_INLINE void ready_here(machine* m, goroutine* g) {
  scheduler& home = *m->home;
  auto& queue = m->p->queue;
  if (!queue.section().enter()) [[unlikely]] return home.inject(g);
  const auto spilled = queue.put_next(g);
  queue.section().leave();
  if (!spilled.empty()) [[unlikely]] home.inject(spilled);
  home.wake_softly_if_wanted();
}

}  // namespace rove::sched
