// A scheduler's beginning and end, and its statistics.
#include <algorithm>

#include "src/arch/stack.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/host.hpp"
#include "src/sched/park.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/sysmon.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {

extern bool forked;                // runtime.cpp

namespace {

std::atomic<std::uint32_t> runtimes_made{0};

}  // namespace

scheduler::scheduler(const rove::config& c, unsigned max_procs, bool is_run)
    : config_(c),
      is_run_(is_run),
      number_(runtimes_made.fetch_add(1, std::memory_order_relaxed) + 1),  // relaxed: a number
      processors_(new std::unique_ptr<processor>[2 * most_processors]),
      default_class_(arch::size_class_for(c.stack_size)),
      ref_(make_home_ref(this)),
      monitor_(std::make_unique<system_monitor>(*this)) {
  max_procs_.store(max_procs, std::memory_order_relaxed);  // relaxed: not shared yet
  wanted_.store(max_procs, std::memory_order_relaxed);     // relaxed: not shared yet
  {
    os::hold h(lock_);
    while (active_.load(std::memory_order_relaxed) < max_procs)  // relaxed: lock
      push_idle_processor_locked(new_processor_locked());
  }
  register_runtime(this);
  if constexpr (os::debug_checks) note_runtime_begins();
}

scheduler::~scheduler() {
  if (!forked) {
    end_and_wait();
    while (visitors_.load(std::memory_order_acquire) != 0) os::yield_thread();  // VISITORS
    while (host_queue* const q = take_host()) q->leave_runtime();
    stop_machines_.store(true, std::memory_order_release);  // STOP
    monitor_->stop();
    for (;;) {
      machine* m;
      const std::uint32_t* note;
      {
        os::hold h(lock_);
        m = machines_;
        if (!m) break;
        machines_ = m->next;
        if (m->idle) remove_idle_machine_locked(m);
        note = note_locked(m);
      }
      if (note) os::futex_wake(note, 1);
      os::join_thread(m->thread);
      delete m;
    }
    leave_home_ref(ref_);
    for_each_processor([](processor& p) { p.timers.run_all(); });  // those that others than its goroutines wait for
    detail::ending.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a hint
    if (poll_source* const s = source()) s->retire();
  }
  unregister_runtime(this);
  delete priorities();
  while (!forked && is_dumped_slow()) os::yield_thread();  // somebody prints our goroutines
  for_each_processor([](processor& p) {
    if (p.track) p.track->retired.store(true, std::memory_order_release);  // TRACK-RETIRED
    return_stock(p);
    if (p.stock_promised) arch::return_promises(p.stack_class, processor::most_stacks);
  });
}

scheduler::statistics scheduler::stats() {
  // Who moves while one looks is missed or seen twice: a goroutine that has ended by the time its processor is asked would
  // pass for a parked one. So it looks until two looks agree, or until it is clear that too much moves.
  statistics n = count();
  for (int looks = 1; looks < 8; ++looks) {
    const statistics before = n;
    n = count();
    if (n.goroutines == before.goroutines && n.running == before.running && n.runnable == before.runnable &&
        n.spawned == before.spawned && n.switches == before.switches && n.steals == before.steals)
      break;
  }
  return n;
}

scheduler::statistics scheduler::count() {
  statistics n{};
  n.goroutines = alive();
  n.spawned = foreign_spawned_.get();
  for_each_processor([&](processor& p) {
    n.spawned += p.spawned.get();
    n.switches += p.tick.load(std::memory_order_relaxed);  // relaxed: statistics
    n.steals += p.steals.get();
    n.parks += p.parks.get();
    n.timers += p.timers.size_hint();
    n.runnable += p.queue.length();
  });
  if (const poll_source* const s = source()) n.polled = s->polled();
  os::hold h(lock_);
  n.runnable += global_.count + global_new_.count;
  if (const priority_queues* const q = priorities()) n.runnable += q->size();
  n.running = active_.load(std::memory_order_relaxed) - idle_.idle();  // relaxed: lock
  n.running += static_cast<std::uint64_t>(std::max<std::int64_t>(0, in_blocking_.load(std::memory_order_relaxed)));  // relaxed: statistics
  n.running = std::min(n.running, n.goroutines);
  n.runnable = std::min(n.runnable, n.goroutines - n.running);
  n.parked = n.goroutines - n.running - n.runnable;
  n.threads = thread_count_locked();
  return n;
}

}  // namespace rove::sched
