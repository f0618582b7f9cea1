// Goroutines wired to their thread (lock_os_thread), and the way a processor takes to such a thread.
//
// A machine with a wired goroutine runs nothing else. When that goroutine parks, the machine gives its processor away
// and sleeps; whoever dispatches the goroutine later hands over the processor together with it.
#include <rove/run.hpp>

#include "src/base/check.hpp"
#include "src/sched/park.hpp"
#include "src/sched/scheduler.hpp"

namespace rove {
namespace sched {

// On a machine whose wired goroutine is parked: sleeps until it is to run.
goroutine* scheduler::rest_wired(machine* m) {
  if (processor* const p = m->p) {
    if (goroutine* const g = p->handed; g && g->wire == m) {
      p->handed = nullptr;
      return g;
    }
    m->p = nullptr;
    hand_over(p);
  }
  look_for_deadlock();
  for (;;) {
    {
      os::hold h(lock_);
      if (m->granted) {
        take_grant_locked(m);
        return std::exchange(m->p->handed, nullptr);
      }
      if (stop_machines_.load(std::memory_order_relaxed)) return nullptr;  // relaxed: lock
      m->note.store(0, std::memory_order_relaxed);                         // relaxed: lock
    }
    while (m->note.load(std::memory_order_acquire) == 0)                   // NOTE
      os::futex_wait(reinterpret_cast<std::uint32_t*>(&m->note), 0);
  }
}

// `m` dispatched a goroutine that belongs to another machine: gives its processor to that one.
void scheduler::hand_to_wired(machine* m, goroutine* g) {
  processor* const p = std::exchange(m->p, nullptr);
  machine* const target = g->wire;
  const std::uint32_t* note;
  {
    os::hold h(lock_);
    p->handed = g;
    target->granted = p;
    target->granted_background = std::exchange(m->on_background, false);
    note = note_locked(target);
  }
  os::futex_wake(note, 1);
}

}  // namespace sched

void lock_os_thread() {
  sched::goroutine* const g = sched::current();
  if (!g) return;
  if (g->flags & sched::goroutine::flag_hosted) {  // it is on its thread already
    ++g->wire_depth;
    return;
  }
  if (g->m->poll_until != 0) detail::throw_panic("rove: lock_os_thread on a thread that polls");
  if (g->wire_depth++ > 0) return;
  g->flags |= sched::goroutine::flag_wired;
  g->wire = g->m;
  g->m->wired = g;
}

void unlock_os_thread() {
  sched::goroutine* const g = sched::current();
  if (!g || g->wire_depth == 0) return;
  if (--g->wire_depth > 0 || (g->flags & sched::goroutine::flag_hosted)) return;
  g->flags &= ~sched::goroutine::flag_wired;
  g->wire = nullptr;
  g->m->wired = nullptr;
}

}  // namespace rove
