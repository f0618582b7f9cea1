// The timer heap.
#include "src/sched/timers.hpp"

#include <rove/detail/config.hpp>
#include <rove/detail/deadline.hpp>

#include "src/base/check.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/simulation.hpp"

namespace rove::sched {

void timer_heap::place(std::size_t i, entry e) {
  heap_[i] = e;
  e.t->index = i;
}

void timer_heap::sift_up(std::size_t i, entry e) {
  while (i > 0) {
    const std::size_t parent = (i - 1) / 4;
    if (heap_[parent].when <= e.when) break;
    place(i, heap_[parent]);
    i = parent;
  }
  place(i, e);
}

void timer_heap::sift_down(std::size_t i, entry e) {
  const std::size_t n = heap_.size();
  for (;;) {
    const std::size_t first = 4 * i + 1;
    if (first >= n) break;
    std::size_t least = first;
    for (std::size_t c = first + 1; c < first + 4 && c < n; ++c)
      if (heap_[c].when < heap_[least].when) least = c;
    if (heap_[least].when >= e.when) break;
    place(i, heap_[least]);
    i = least;
  }
  place(i, e);
}

void timer_heap::remove_at(std::size_t i) {
  heap_[i].t->index = timer::not_armed;
  const entry last = heap_.back();
  heap_.pop_back();
  if (i == heap_.size()) return;
  if (i > 0 && heap_[(i - 1) / 4].when > last.when)
    sift_up(i, last);
  else
    sift_down(i, last);
}

void timer_heap::publish() {
  // relaxed: hints, see next_due
  next_due_.store(heap_.empty() ? os::never : heap_.front().when, std::memory_order_relaxed);
  size_.store(heap_.size(), std::memory_order_release);  // TIMER-OUTSIDE
}

void timer_heap::arm_locked(timer* t) {
  t->heap = this;
#if ROVE_EXCEPTIONS
  try {
    heap_.push_back({});
  } catch (...) {
    base::fatal("rove: no memory for a timer");  // with its lock held there is no way back
  }
#else
  heap_.push_back({});
#endif
  sift_up(heap_.size() - 1, {t->when, t});
  publish();
}

bool timer_heap::disarm_locked(timer* t) {
  if (t->index == timer::not_armed) return false;
  remove_at(t->index);
  publish();
  return true;
}

bool timer_heap::disarm(timer* t) {
  os::hold h(lock_);
  return disarm_locked(t);
}

timer_heap* current_timers() {
  const machine* const m = this_machine();
  if (m && m->p) return &m->p->timers;
  return simulation_on(m) ? m->home->first_timers() : nullptr;
}

os::nanoseconds now() {
  if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: a run is this thread's, and counts there
    if (const simulation* const s = simulation_on(this_machine())) return s->now();
  return os::now();
}

std::size_t timer_heap::run_due(os::nanoseconds now, std::size_t most) {
  std::size_t fired = 0;
  if (served_.load(std::memory_order_relaxed) || served_.exchange(true, std::memory_order_relaxed))  // relaxed: the lock orders
    return 0;
  while (fired < most && next_due() <= now) {
    lock_.lock();
    timer* const t = !heap_.empty() && heap_.front().when <= now ? heap_.front().t : nullptr;
    if (t) {
      remove_at(0);
      publish();
    }
    lock_.unlock();
    if (!t) break;
    t->fire(t);
    ++fired;
  }
  served_.store(false, std::memory_order_relaxed);  // relaxed: as above
  return fired;
}

void timer_heap::run_all() {
  for (;;) {
    lock_.lock();
    timer* const t = heap_.empty() ? nullptr : heap_.back().t;
    if (t) disarm_locked(t);
    lock_.unlock();
    if (!t) return;
    t->fire(t);
  }
}

}  // namespace rove::sched

std::int64_t rove::detail::steady_ns() { return sched::now(); }
