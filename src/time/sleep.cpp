// Sleeping: a timer that lives in the sleeper's own frame.
#include <rove/time.hpp>

#include <cerrno>

#include "src/sched/park.hpp"
#include "src/sched/timers.hpp"

namespace rove {
namespace {

struct sleeper : sched::timer {
  detail::waiter w;
};

void fire(sched::timer* t) {
  auto* const s = static_cast<sleeper*>(t);
  s->w.result = detail::outcome::granted;
  sched::wake(&s->w);
}

bool unlink_sleeper(detail::waiter* w, detail::outcome why) {
  auto* const s = static_cast<sleeper*>(w->object);
  if (!s->heap->disarm(s)) return false;
  w->result = why;
  return true;
}

// Without a heap of its own: it waits, with a limit, for what never comes.
struct nothing_to_come {
  os::lock lock{os::rank::object};

  static bool unlink(detail::waiter* w, detail::outcome why) {
    os::hold h(static_cast<nothing_to_come*>(w->object)->lock);
    if (w->result != detail::outcome::pending) return false;
    w->result = why;
    return true;
  }
};

void sleep_on_host(os::nanoseconds when) {
  nothing_to_come nothing;
  detail::waiter w;
  sched::prepare(w, &nothing, nothing_to_come::unlink);
  nothing.lock.lock();
  if (sched::wait(w, detail::wait_reason::sleep, nothing.lock, when) == detail::outcome::ended) sched::unwind_current();
}

}  // namespace

void detail::sleep_until_ns(std::int64_t when) {
  if (ending.load(std::memory_order_relaxed) && end_check()) return;  // relaxed: end_check looks closer
  sleeper s;
  sched::prepare(s.w, &s, unlink_sleeper);
  if (when <= sched::now()) return yield();
  sched::timer_heap* const timers = s.w.g ? sched::current_timers() : nullptr;
  if (!timers && sched::is_on_host()) return sleep_on_host(when);
  if (!timers) {  // the thread is the caller's own: a plain one, or one inside `blocking`
    const std::uint32_t nobody_wakes = 0;
    while (os::futex_wait(&nobody_wakes, 0, when) != -ETIMEDOUT) {
    }
    return;
  }
  s.when = when;
  s.fire = fire;
  timers->lock().lock();
  timers->arm_locked(&s);
  detail::depart(sched::park(s.w, detail::wait_reason::sleep, timers->lock()));
  if (s.w.result == outcome::ended) sched::unwind_current();
}

}  // namespace rove
