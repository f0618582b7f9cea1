// Choosing what runs next on a processor: the short way, without the machine's own stack.
#pragma once

#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

inline constexpr std::uint32_t special = goroutine::flag_wired | goroutine::flag_blocking;

// A goroutine that is dispatched for the first time gets its stack. birth.cpp
void give_first_frame(processor* p, goroutine* g);

// Where `from` goes when it leaves: another goroutine, or the machine's own stack, whose loop does all that is rare.
// Counts a dispatch. The section is left again; `attention` is read inside it, so that ending.cpp can shut it out.
inline goroutine* next_to_run(machine* m, const goroutine* from) {
  processor* const p = m->p;
  if (!p || (from->flags & special)) [[unlikely]] return &m->g0;
  if (p->count_dispatch() % processor::slice == 0) [[unlikely]] return &m->g0;
  if (!p->queue.section().enter()) [[unlikely]] return &m->g0;
  goroutine* to = nullptr;
  if (!p->attention.load(std::memory_order_relaxed)) [[likely]]  // relaxed: ordered by the section, see ending.cpp
    to = p->queue.take();
  p->queue.section().leave();
  if (!to) return &m->g0;
  if (to->flags & (special | goroutine::flag_unborn)) [[unlikely]] {
    if (to->flags & special) {
      p->handed = to;
      return &m->g0;
    }
    give_first_frame(p, to);
  }
  to->state.store(goroutine_state::running, std::memory_order_relaxed);  // relaxed: the queue handed it over
  return to;
}

}  // namespace rove::sched
