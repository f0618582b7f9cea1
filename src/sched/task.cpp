// Joining a goroutine. Its state lies with its closure, in its descriptor or on its stack; both are given back by whoever
// is done with them last: the handle, or the goroutine itself when the handle was dropped before.
//
// Pairs. TASK-DONE: release when the goroutine has left its stack, acquire by who joins: it sees the result.
#include <cstddef>

#include <rove/go.hpp>

#include "src/sched/ending.hpp"
#include "src/sched/park.hpp"

namespace rove {
namespace {

os::lock& lock_of(detail::task_state* s) {
  static_assert(sizeof(os::plain_lock) == sizeof s->lock && os::rank{} == os::rank::object);
  static_assert(offsetof(detail::task_state, lock) == 0 && offsetof(detail::task_state, lock_rank) == 4);
  return reinterpret_cast<os::lock&>(*s);  // the state begins with it
}

bool unlink_join(detail::waiter* w, detail::outcome why) {
  auto* const s = static_cast<detail::task_state*>(w->object);
  os::hold h(lock_of(s));
  if (w->result != detail::outcome::pending) return false;
  (w->prev ? w->prev->next : s->first) = w->next;
  (w->next ? w->next->prev : s->last) = w->prev;
  w->result = why;
  return true;
}

detail::departure join_begin(detail::task_state* s, detail::waiter& w) {
  sched::prepare(w, s, unlink_join);
  os::lock& lock = lock_of(s);
  lock.lock();
  if (s->done.load(std::memory_order_relaxed)) {  // relaxed: lock
    lock.unlock();
    return {};
  }
  w.next = nullptr;
  w.prev = s->last;
  (s->last ? s->last->next : s->first) = &w;
  s->last = &w;
  return sched::park(w, detail::wait_reason::task_join, lock);
}

// Nobody will look at it any more.
void give_back(detail::task_state* s) {
  if (s->has_value && s->destroy_value) s->destroy_value(s);
  sched::goroutine* const g = s->g;
  s->~task_state();
  sched::scheduler::recycle(g);
}

}  // namespace

namespace sched {

void scheduler::finish_task(detail::task_state* s) {
  os::lock& lock = lock_of(s);
  lock.lock();
  const bool dropped = s->dropped;
  detail::waiter* w = s->first;
  for (detail::waiter* i = w; i; i = i->next) i->result = detail::outcome::granted;
  s->done.store(true, std::memory_order_release);  // TASK-DONE; unless dropped, the state may be gone after the unlock
  lock.unlock();
  if (dropped) give_back(s);
  while (w) {
    detail::waiter* const next = w->next;
    wake(w);
    w = next;
  }
}

}  // namespace sched

namespace detail {

departure task_join_begin(task_state* s, waiter& w) {
  if (ending.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: looked at closer
    if (s->done.load(std::memory_order_acquire)) end_check();  // TASK-DONE
  if (s->done.load(std::memory_order_acquire)) return {};  // TASK-DONE
  return join_begin(s, w);
}

void task_join_end(task_state*, waiter& w) {
  if (w.result == outcome::ended && !sched::is_unwinding()) sched::unwind_current();
  if (ending.load(std::memory_order_relaxed)) end_check();  // relaxed: end_check looks closer
}

void task_drop(task_state* s) noexcept {
  waiter w;
  if (!s->done.load(std::memory_order_acquire)) {  // TASK-DONE
    const departure d = join_begin(s, w);
    if (d.to) depart(d);
  }
  os::lock& lock = lock_of(s);
  lock.lock();
  const bool done = s->done.load(std::memory_order_relaxed);  // relaxed: lock
  s->dropped = true;
  lock.unlock();
  if (done) give_back(s);
}

void task_no_value() {
  if (ending.load(std::memory_order_relaxed)) end_check();  // relaxed: end_check looks closer; both may have been ended
  throw_panic("rove: task ended by goexit");
}

}  // namespace detail
}  // namespace rove
