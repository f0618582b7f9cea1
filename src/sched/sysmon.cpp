// The system monitor's loop.
#include "src/sched/sysmon.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "src/arch/stack.hpp"
#include "src/base/check.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

void system_monitor::stop() {
  stop_.store(true, std::memory_order_relaxed);  // relaxed: NOTE follows, and the lock for wake_locked
  {
    os::hold h(scheduler_.lock_);
    if (!std::exchange(started_, false)) return;  // deadlock.cpp counts it no more: rather none than a false report
  }
  note_.store(1, std::memory_order_release);     // NOTE
  os::futex_wake(reinterpret_cast<std::uint32_t*>(&note_), 1);
  os::join_thread(thread_);
}

void system_monitor::wake_locked() {
  if (stop_.load(std::memory_order_relaxed)) return;  // relaxed: stop() takes the lock after it was set
  if (!scheduler_.config_.own_threads) return;
  if (!started_) {
    started_ = true;
    const os::thread_label label("rove-sysmon", thread_kind::monitor, 0, scheduler_.number_);
    if (os::start_thread(thread_, label, body, this)) base::fatal("rove: cannot start a thread");
    return;
  }
  if (!asleep_) return;
  asleep_ = false;
  note_.store(1, std::memory_order_release);  // NOTE
  os::futex_wake(reinterpret_cast<std::uint32_t*>(&note_), 1);
}

void system_monitor::body(void* self) { static_cast<system_monitor*>(self)->loop(); }

void system_monitor::loop() {
  os::nanoseconds interval = shortest, idle_since = 0;
  last_tick_ = last_trim_ = os::now();
  for (int quiet = 0; !stop_.load(std::memory_order_relaxed);) {  // relaxed: stop() wakes the loop too
    os::futex_wait(reinterpret_cast<std::uint32_t*>(&note_), 0, os::now() + interval);
    if (note_.load(std::memory_order_acquire)) note_.store(0, std::memory_order_relaxed);  // NOTE; relaxed: one reader
    const os::nanoseconds now = os::now();
    if (all_idle()) {
      if (idle_since == 0) idle_since = now;
      interval = longest;
      if (work_is_left()) scheduler_.wake_one();
      if (now - idle_since < asleep_after) continue;
      if (deep_sleep()) {
        interval = shortest;
        quiet = 0;
      }
      idle_since = 0;
      last_tick_ = os::now();
      continue;
    }
    idle_since = 0;
    quiet = tick(now) ? 0 : quiet + 1;
    const os::nanoseconds most = scheduler_.idle_.idle() > 0 ? with_idle : longest;
    interval = quiet < 20 ? shortest : std::min(interval * 2, most);
  }
}

bool system_monitor::all_idle() {
  return scheduler_.idle_.idle() == scheduler_.active_.load(std::memory_order_relaxed);  // relaxed: a hint
}

// All were idle for a while: gives memory back, then sleeps without a tick until a processor is taken. False: not idle.
bool system_monitor::deep_sleep() {
  collect_free_stacks();
  // relaxed: a hint, asked again under the lock
  while (all_idle() && !stop_.load(std::memory_order_relaxed) && arch::trim_stacks_to(64, trimmed_idle) > 0) {
  }
  {
    os::hold h(scheduler_.lock_);
    if (!all_idle() || stop_.load(std::memory_order_relaxed)) return false;  // relaxed: note_ is set after it
    if (scheduler_.work_is_left_locked()) return false;
    asleep_ = true;
  }
  for (unsigned looks = 0; note_.load(std::memory_order_acquire) == 0; ++looks) {  // NOTE
    const bool again = looks < std::size(looks_after) && scheduler_.check_deadlock_elsewhere();
    os::futex_wait(reinterpret_cast<std::uint32_t*>(&note_), 0, again ? os::now() + looks_after[looks] : os::never);
  }
  note_.store(0, std::memory_order_relaxed);          // relaxed: one reader
  return true;
}

// Though all are idle.
bool system_monitor::work_is_left() {
  os::hold h(scheduler_.lock_);
  return all_idle() && scheduler_.work_is_left_locked();
}

// Free stacks that idle processors hold go to the pool, where they can be trimmed.
void system_monitor::collect_free_stacks() {
  os::hold h(scheduler_.lock_);
  for (processor* p = scheduler_.idle_processors_; p; p = p->next_idle) return_stock(*p);
}

bool system_monitor::tick(os::nanoseconds now) {
  bool worth = false, due = false, queued = scheduler_.global_size_.load(std::memory_order_relaxed) > 0;  // relaxed: a hint
  if (const priority_queues* const q = scheduler_.priorities(); q && q->size() > 0) {
    os::hold h(scheduler_.lock_);
    queued = queued || q->work_locked();
  }
  worth = queued;
  unsigned stuck = 0;
  look(now, due, worth, queued, stuck);
  look_at_poller(now);
  last_tick_ = now;
  auto& idle = scheduler_.idle_;
  const bool helpers = idle.idle() > 0 && idle.searching() == 0;
  if (helpers && (due || (worth && !scheduler_.reluctance_.holds(now)))) scheduler_.wake_one();
  if (!queued && helpers) idle.raise_flag();
  if (stuck != scheduler_.stuck_seen() || (stuck && queued && idle.idle() == 0)) spare(stuck, queued);
  if (now - last_trim_ >= trim_every) {
    last_trim_ = now;
    arch::trim_stacks(trimmed_busy);
  }
  return (worth && idle.idle() > 0) || stuck;  // without an idle processor there is nobody to wake sooner
}

void system_monitor::look(os::nanoseconds now, bool& due, bool& worth, bool& queued, unsigned& stuck) {
  const os::nanoseconds elapsed = now - last_tick_;
  scheduler_.for_each_processor([&](processor& p) {
    p.coarse_now.store(now, std::memory_order_relaxed);  // relaxed: a clock
    if (p.timers.next_due() <= now) due = queued = true;
    if (p.id >= watched) return;
    watch& w = watches_[p.id];
    const std::uint32_t tick = p.tick.load(std::memory_order_relaxed);  // relaxed: a sample
    const std::uint32_t length = p.queue.length();
    const bool held = p.held.load(std::memory_order_relaxed);           // relaxed: a sample
    if (length > 0) queued = true;
    if (judge(w.seen, tick, length, elapsed) == verdict::worth_it) worth = true;
    if (tick != w.seen.tick || !held) w.since = now;
    if (held && now - w.since >= stuck_after) ++stuck;
    w.seen = {tick, length > 0};
  });
}

// Nobody had a moment to look for what is ready.
void system_monitor::look_at_poller(os::nanoseconds now) {
  poll_source* const s = scheduler_.source();
  if (!s || !s->due(now, poll_source::watch_every)) return;
  base::chain<goroutine> ready;
  s->look(ready);
  if (!ready.empty()) scheduler_.queue_up(ready);
}

// As many spares as processors are stuck, so that `max_procs` of them move.
void system_monitor::spare(unsigned stuck, bool queued) {
  processor* started = nullptr;
  {
    os::hold h(scheduler_.lock_);
    const unsigned n = scheduler_.max_procs();
    const unsigned active = scheduler_.active_.load(std::memory_order_relaxed);  // relaxed: lock
    scheduler_.stuck_ = std::min(stuck, most_processors);
    const unsigned wanted = n + scheduler_.stuck_;
    scheduler_.wanted_.store(wanted, std::memory_order_relaxed);                 // relaxed: lock
    if (queued && active < wanted && scheduler_.idle_.idle() == 0) started = scheduler_.activate_processor_locked();
    scheduler_.retire_idle_locked();
  }
  if (!started) return;
  const bool searching = scheduler_.idle_.start_searching(UINT32_MAX);
  scheduler_.give(started, searching);
}

}  // namespace rove::sched
