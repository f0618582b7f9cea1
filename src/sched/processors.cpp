// Processors changing hands: idle lists, grants, machines started and stopped, spares, set_max_procs.
#include <cxxabi.h>
#include <cerrno>
#include <new>
#include <utility>

#include "src/arch/fault.hpp"
#include "src/arch/sanitizer.hpp"
#include "src/base/check.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/sysmon.hpp"

#if defined(__clang__)
constinit thread_local rove::sched::machine* rove_this_machine = nullptr;
#else
__thread rove::sched::machine* rove_this_machine = nullptr;
#endif

namespace rove::sched {

// ---- lists under the lock ------------------------------------------------------------------------------------------

processor* scheduler::new_processor_locked() {
  const unsigned n = processor_count_.load(std::memory_order_relaxed);  // relaxed: lock
  processors_[n] = std::make_unique<processor>(*this, n, default_class_);
  // Stacks that lie free with one processor must not be missed by another. Refused: go throws a little later than it should.
  processors_[n]->stock_promised = arch::promise_stacks(default_class_, processor::most_stacks);
  processors_[n]->attention.store(is_watched() || frames_wait(), std::memory_order_relaxed);  // relaxed: nobody holds it yet
  processors_[n]->held.store(true, std::memory_order_relaxed);  // relaxed: lock; until it is idle
  processor_count_.store(n + 1, std::memory_order_release);     // PROC-TABLE: its readers see the processor
  active_.fetch_add(1, std::memory_order_relaxed);           // relaxed: lock
  return processors_[n].get();
}

void scheduler::push_idle_processor_locked(processor* p) {
  if (retire_if_too_many_locked(p)) return;
  p->held.store(false, std::memory_order_relaxed);  // relaxed: lock; sysmon's sample
  p->next_idle = idle_processors_;
  idle_processors_ = p;
  idle_.sleeps(false);
}

processor* scheduler::pop_idle_processor_locked(processor* preferred) {
  processor** at = &idle_processors_;
  for (processor** q = at; *q; q = &(*q)->next_idle)
    if (*q == preferred) at = q;
  processor* const p = *at;
  if (!p) return nullptr;
  *at = p->next_idle;
  p->next_idle = nullptr;
  p->held.store(true, std::memory_order_relaxed);  // relaxed: lock; sysmon's sample
  idle_.leaves_idle();
  monitor_->wake_locked();
  return p;
}

// A processor above the wanted number goes away when its holder has a moment; its work goes to the others.
bool scheduler::retire_if_too_many_locked(processor* p) {
  if (active_.load(std::memory_order_relaxed) <= wanted_.load(std::memory_order_relaxed)) return false;  // relaxed: lock
  drain_locked(p);
  p->active = false;
  p->held.store(false, std::memory_order_relaxed);  // relaxed: lock; sysmon's sample
  active_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: lock
  return true;
}

void scheduler::drain_locked(processor* p) {
  auto& section = p->queue.section();
  while (!section.enter()) os::yield_thread();
  global_.append(p->queue.take_all());
  section.leave();
  if (p->handed) global_.push_back(std::exchange(p->handed, nullptr));
  publish_global_locked();
}

void scheduler::push_idle_machine_locked(machine* m) {
  m->idle = true;
  m->next_idle = idle_machines_;
  idle_machines_ = m;
}

void scheduler::remove_idle_machine_locked(machine* m) {
  for (machine** q = &idle_machines_; *q; q = &(*q)->next_idle)
    if (*q == m) {
      *q = m->next_idle;
      break;
    }
  m->idle = false;
}

// A machine that left the sleepers' list was either granted a processor or called home.
bool scheduler::take_grant_locked(machine* m) {
  if (processor* const p = std::exchange(m->granted, nullptr)) {
    m->p = p;
    m->on_background = std::exchange(m->granted_background, false);
  }
  return true;
}

// The note is written under the lock, the wake-up comes after it: the machine may be gone by then, the address is enough.
// One that sleeps in the poller is woken at once, since the poller may go with the runtime: null.
const std::uint32_t* scheduler::note_locked(machine* m) {
  m->note.store(1, std::memory_order_release);  // NOTE
  if (m->polling) {
    source()->break_wait();
    return nullptr;
  }
  return reinterpret_cast<const std::uint32_t*>(&m->note);
}

// ---- waking ----------------------------------------------------------------------------------------------------------

// Gives `p` (in nobody's hands, on no list) to a sleeping machine or a new one. `spinning`: it counts as a searcher.
void scheduler::give(processor* p, bool spinning) {
  const std::uint32_t* note = nullptr;
  machine* m;
  {
    os::hold h(lock_);
    m = idle_machines_;
    if (m && m->polling && m->next_idle) m = m->next_idle;  // rather one that can be woken at less cost
    if (m) {
      remove_idle_machine_locked(m);
      m->granted = p;
      m->spinning = spinning;
      note = note_locked(m);
    }
  }
  if (note) os::futex_wake(note, 1);
  if (!m) start_machine(p, spinning);
}

// One event wakes one machine, and none while somebody searches: the searcher will see it.
void scheduler::wake_one() {
  if (!idle_.start_searching(1)) return;
  processor* p;
  {
    os::hold h(lock_);
    p = pop_idle_processor_locked();
    if (!p) idle_.stop_searching();
  }
  if (p) give(p, true);
}

// The machine searches no more. Whoever pushed meanwhile relied on it: if it was the last one, somebody else is sent.
void scheduler::stop_searching(machine* m) {
  if (!m->spinning) return;
  m->spinning = false;
  bool wake;
  {
    os::hold h(lock_);
    wake = idle_.stop_searching() && !global_empty_locked() && idle_.idle() > 0;
  }
  if (wake) wake_one();
}

void scheduler::wake_softly() {
  if (idle_.take_flag()) wake_one();
}

// Is a timer armed that no sleeping machine waits for?
bool scheduler::timers_need_keeper_locked() const {
  const os::nanoseconds due = next_due();
  return due != os::never && (!keeper_ || due < keeper_until_);
}

// Are there descriptors to be waited for, and nobody sleeps in the poller? A goroutine registers them while it holds a
// processor or before its machine rests, so whoever gives up a processor later sees them.
bool scheduler::poller_needs_keeper_locked() const {
  const poll_source* const s = source();
  return s && s->in_use() && !polling_;
}

// Is there something to do that nobody is about to find? With all processors idle it means that the system refused a
// thread, and that those that there were had no time.
bool scheduler::work_is_left_locked() const {
  return idle_.searching() == 0 && (!global_empty_locked() || keeper_wanted_locked());
}

// Should a machine be woken to look after timers and descriptors? Where there is none that could sleep, the next poll
// looks at them, and the host is told of goroutines only.
bool scheduler::keeper_wanted_locked() const {
  return (config_.own_threads || idle_machines_) && (timers_need_keeper_locked() || poller_needs_keeper_locked());
}

os::nanoseconds scheduler::next_due() const {
  os::nanoseconds due = os::never;
  for_each_processor([&](processor& p) { due = std::min(due, p.timers.next_due()); });
  return due;
}

// Without a processor of its own the timer comes into the first one's heap. Those who work look at all heaps; if none does,
// somebody has to sleep no longer than until this timer.
void scheduler::arm_from_outside(timer* t) {
  timer_heap& heap = processors_[0]->timers;
  {
    os::hold h(heap.lock());
    heap.arm_locked(t);
  }
  const std::uint32_t* note = nullptr;
  bool wake = false;
  {
    os::hold h(lock_);
    if (idle_.idle() > 0 && timers_need_keeper_locked()) {
      if (keeper_)
        note = note_locked(keeper_);
      else
        wake = keeper_wanted_locked();
    }
  }
  if (note) os::futex_wake(note, 1);
  if (wake) wake_one();
}

// Its thread may be one that never rests here: a host's, or one that a goroutine is wired to. If nobody works, somebody
// has to sleep in the poller.
void scheduler::registered_from_outside() {
  bool wake;
  {
    os::hold h(lock_);
    wake = idle_.idle() > 0 && keeper_wanted_locked();
  }
  if (wake) wake_one();
}

// The processor's holder cannot go on with it: somebody else does, if there is anything to do.
void scheduler::hand_over(processor* p) {
  bool needed, searches = false;
  {
    os::hold h(lock_);
    needed = p->queue.length() > 0 || p->handed || !global_empty_locked() || keeper_wanted_locked();
    if (!needed)
      push_idle_processor_locked(p);
    else if (priority_work_locked() && idle_.idle() > 0)
      searches = idle_.start_searching(1);  // p's own goroutines come first: as a searcher it looks again, see priority.cpp
  }
  if (needed) give(p, searches);
}

// ---- blocking ----------------------------------------------------------------------------------------------------------

void scheduler::release_processor(machine* m) {
  processor* const p = m->p;
  m->previous = p;
  m->p = nullptr;
  if (m->on_background) [[unlikely]] priorities()->left_background(m);
  hand_over(p);
}

bool scheduler::regain_processor(machine* m) {
  os::hold h(lock_);
  processor* const p = pop_idle_processor_locked(m->previous);
  if (!p) return false;
  m->p = p;
  return true;
}

// ---- threads -----------------------------------------------------------------------------------------------------------

void scheduler::attach_thread(machine* m) {
  m->home = this;
  m->exceptions = reinterpret_cast<exception_words*>(abi::__cxa_get_globals());
  m->error_number = &errno;
  m->g = &m->g0;
  m->g0.set_home(this);
  m->g0.commit = [](detail::context*) {};
  arch::sanitizer_attach_thread(m->g0);
  os::precise_timers(true);
  rove_this_machine = m;
}

void scheduler::thread_body(void* argument) {
  machine* const m = static_cast<machine*>(argument);
  scheduler& self = *m->home;
  self.attach_thread(m);
  arch::thread_alternate_stack signal_stack;
  if (self.config_.on_thread_start) self.config_.on_thread_start();
  {
    os::hold h(self.lock_);
    self.take_grant_locked(m);
  }
  self.work(m);
  if (self.config_.on_thread_stop) self.config_.on_thread_stop();
  rove_this_machine = nullptr;
}

void scheduler::start_machine(processor* p, bool spinning) {
  if (!config_.own_threads) {
    {
      os::hold h(lock_);
      do_without_locked(p, spinning);
    }
    return tell_host();
  }
  machine* const m = new (std::nothrow) machine;
  os::hold h(lock_);  // over the start: whoever finds the machine in the list may join its thread
  if (machine_count_ >= config_.max_threads) base::fatal("thread exhaustion");
  const os::thread_label label("rove", thread_kind::worker, workers_started_, number_);
  if (m) {
    m->home = this;
    m->granted = p;
    m->spinning = spinning;
  }
  if (!m || os::start_thread(m->thread, label, thread_body, m) != 0) {
    delete m;
    return do_without_locked(p, spinning);
  }
  ++workers_started_;
  ++machine_count_;
  m->quick.store(is_traced() ? 0 : number_, std::memory_order_relaxed);  // relaxed: either way is right
  m->next = machines_;
  machines_ = m;
}

// The system refuses another thread: the work is left to the machines that there are. They may all be asleep by now, or
// inside `blocking`: then sysmon sees it, and asks again.
void scheduler::do_without_locked(processor* p, bool spinning) {
  if (machine_count_ == 0 && config_.own_threads) base::fatal("rove: the system refuses a thread");
  if (spinning) idle_.stop_searching();
  drain_locked(p);
  push_idle_processor_locked(p);
}

void scheduler::lend(machine* m, const std::atomic<std::uint32_t>& until) {
  attach_thread(m);
  m->lent = true;
  m->until = &until;
  arch::thread_alternate_stack signal_stack;
  {
    os::hold h(lock_);
    m->quick.store(is_traced() ? 0 : number_, std::memory_order_relaxed);  // relaxed: either way is right
    m->next = machines_;
    machines_ = m;
    ++machine_count_;
    m->p = pop_idle_processor_locked();
  }
  work(m);
  stop_searching(m);
  if (m->p) release_processor(m);
  {
    os::hold h(lock_);
    for (machine** q = &machines_; *q; q = &(*q)->next)
      if (*q == m) {
        *q = m->next;
        break;
      }
    --machine_count_;
  }
  os::precise_timers(false);
  rove_this_machine = nullptr;
}

// ---- the number of processors ------------------------------------------------------------------------------------------

unsigned scheduler::set_max_procs(unsigned n) {
  unsigned before;
  unsigned to_wake = 0;
  {
    os::hold h(lock_);
    before = max_procs_.exchange(n, std::memory_order_relaxed);           // relaxed: lock
    wanted_.store(n + stuck_, std::memory_order_relaxed);                 // relaxed: lock
    while (active_.load(std::memory_order_relaxed) < wanted_.load(std::memory_order_relaxed)) {  // relaxed: lock
      push_idle_processor_locked(activate_processor_locked());
      ++to_wake;
    }
    retire_idle_locked();
  }
  while (to_wake-- > 0) wake_one();
  return before;
}

// A retired processor comes back, or a new one is made. It counts as held until it is pushed to the idle ones.
processor* scheduler::activate_processor_locked() {
  const unsigned n = processor_count_.load(std::memory_order_relaxed);  // relaxed: lock
  for (unsigned i = 0; i < n; ++i) {
    processor* const p = processors_[i].get();
    if (p->active) continue;
    p->active = true;
    p->held.store(true, std::memory_order_relaxed);  // relaxed: lock; sysmon's sample
    active_.fetch_add(1, std::memory_order_relaxed);  // relaxed: lock
    return p;
  }
  return new_processor_locked();
}

void scheduler::retire_idle_locked() {
  while (idle_processors_ && active_.load(std::memory_order_relaxed) > wanted_.load(std::memory_order_relaxed))  // relaxed: lock
    retire_if_too_many_locked(pop_idle_processor_locked());
}

}  // namespace rove::sched
