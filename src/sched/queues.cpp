// Where runnable goroutines wait, seen from the scheduler: into a processor's own queue or the global one, and out again.
// What a processor's queue is in itself is run_queue.hpp; who has to be woken for what is queued, idle.hpp.
#include <algorithm>

#include "src/sched/dispatch.hpp"
#include "src/sched/host.hpp"
#include "src/sched/priority.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

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

}  // namespace rove::sched
