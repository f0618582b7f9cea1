// A host lends its thread for a while: runtime::poll.
//
// The lent thread is a machine like the others, for as long as the budget lasts: it takes an idle processor, runs what
// is runnable, serves timers and descriptors, and instead of resting it goes home. Two things are different. Its
// processor has `attention` set, so that every dispatch passes through the loop and looks at the clock. And it may
// not be wired: the machine is gone when the call returns.
//
// A runtime may have no threads of its own (config.own_threads). Where another one would start or wake a thread, it tells
// the host by config.on_work, and leaves the work where the next poll finds it. The flag for soft work is raised whenever
// a poll ends, so that the first goroutine that is started after it tells the host, too.
#include "src/sched/host.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/scheduler.hpp"

#include <utility>

#include "src/arch/fault.hpp"
#include "src/sched/ending.hpp"

namespace rove::sched {

bool scheduler::poll(os::nanoseconds until) {
  machine* const before = this_machine();                 // a goroutine of another runtime may be stopping this one
  machine m;
  attach_thread(&m);
  m.lent = true;
  m.poll_until = std::max<os::nanoseconds>(until, 1);
  arch::thread_alternate_stack signal_stack;
  bool ran = false;
  if (join_to_poll(m)) {
    while (goroutine* const g = find_work(&m)) {
      execute(&m, g);
      if (m.on_background) [[unlikely]] priorities()->left_background(&m);
      ran = true;
    }
    leave_from_poll(m);
  }
  if (!before) os::precise_timers(false);
  rove_this_machine = before;
  return ran;
}

// False: all processors are held by other threads, which run what there is.
bool scheduler::join_to_poll(machine& m) {
  os::hold h(lock_);
  m.p = pop_idle_processor_locked();
  if (!m.p) return false;
  m.p->attention.store(true, std::memory_order_relaxed);  // relaxed: nobody else holds the processor
  m.quick.store(is_traced() ? 0 : number_, std::memory_order_relaxed);  // relaxed: either way is right
  m.next = machines_;
  machines_ = &m;
  ++machine_count_;
  return true;
}

void scheduler::leave_from_poll(machine& m) {
  stop_searching(&m);
  {
    os::hold h(lock_);
    if (!is_watched() && !frames_wait())
      for_each_processor([](processor& p) { p.attention.store(false, std::memory_order_relaxed); });  // relaxed: a clock is looked at less often
  }
  if (m.p) release_processor(&m);
  {
    os::hold h(lock_);
    for (machine** q = &machines_; *q; q = &(*q)->next)
      if (*q == &m) {
        *q = m.next;
        break;
      }
    --machine_count_;
  }
  idle_.raise_flag();                                     // SOFT-WAKE
  idle_.fence_after_raise();                              // SOFT-WAKE
  if (anything_queued()) wake_softly();
}

// Its time is over; but one goroutine runs in any case.
bool scheduler::poll_is_over(const machine* m) const { return m->last_left && os::now() >= m->poll_until; }

void scheduler::tell_host() {
  if (config_.on_work) config_.on_work();
}

bool scheduler::frames_wait() const {
  const priority_queues* const q = priorities();
  return q && q->frames_wait();
}

bool scheduler::drive_hosts(os::nanoseconds until) {
  bool ran = false;
  for (host_queue* q = visit_host(nullptr); q; q = visit_host(q)) ran |= q->drive(until);
  return ran;
}

bool scheduler::has_hosts() {
  os::hold h(lock_);
  return !hosts_.empty();
}

host_queue* scheduler::visit_host(host_queue* before) {
  os::hold h(lock_);
  return hosts_.visit(before);
}

host_queue* scheduler::take_host() {
  os::hold h(lock_);
  return hosts_.take();
}

// Ends a runtime without threads, or with hosts: the calling thread runs what has to be unwound.
void scheduler::end_by_polling() {
  constexpr os::nanoseconds turn = 1'000'000;
  while (finished_.load(std::memory_order_acquire) == 0) {  // FINISHED
    const os::nanoseconds until = os::now() + turn;
    if (!config_.own_threads && poll(until)) continue;
    if (drive_hosts(until)) continue;
    ender::end_the_rest(*this);                           // those that wait for others that will never come
    os::futex_wait(reinterpret_cast<const std::uint32_t*>(&finished_), 0, until);
  }
}

}  // namespace rove::sched
