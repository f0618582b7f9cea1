// The wait_group's slow paths. The counter and the number of waiters share one word, so that the last `done` learns
// with its own addition whether somebody waits, and touches nothing afterwards if nobody does.
//
// Pairs. WG-COUNT: release of each add with the acquire of the wait (or add) that sees the count.
#include <rove/sync/wait_group.hpp>

#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove {

using sync::parking_bucket;

[[gnu::cold]] bool wait_group::unlink(detail::waiter* w, detail::outcome why) {
  parking_bucket& b = parking_bucket::of(w->object);
  os::hold h(b.lock());
  if (w->result != detail::outcome::pending) return false;
  b.quiet.remove(w);
  static_cast<wait_group*>(w->object)->state_.fetch_sub(1, std::memory_order_relaxed);  // relaxed: the bucket's lock
  w->result = why;
  return true;
}

detail::departure wait_group::wait_begin(detail::waiter& w) {
  sched::prepare(w, this, unlink);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  std::uint64_t state = state_.load(std::memory_order_acquire);        // WG-COUNT
  do {
    if (state >> 32 == 0) {
      b.lock().unlock();
      w.result = detail::outcome::granted;
      return {};
    }
  } while (!state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire));  // WG-COUNT
  b.quiet.push_back(&w);
  return sched::park(w, detail::wait_reason::wait_group_wait, b.lock());
}

// Nothing moves any more in its runtime, which ends.
[[gnu::cold]] void wait_group::wait_ended() {
  if (!sched::is_unwinding()) sched::unwind_current();
}

// A goroutine that is to end, or is being unwound, waits all the same for those it counts, since they may use its frame.
[[gnu::cold]] void wait_group::wait_ending() {
  if (state_.load(std::memory_order_acquire) >> 32 != 0) {             // WG-COUNT
    detail::waiter w;
    const detail::departure d = wait_begin(w);
    if (d.to) detail::depart(d);
    if (w.result == detail::outcome::ended) wait_ended();
  }
  detail::end_check();
}

void wait_group::add_slow(std::int32_t n, std::int64_t count) {
  if (count != 0) {
    state_.fetch_sub(static_cast<std::uint64_t>(static_cast<std::int64_t>(n)) << 32, std::memory_order_relaxed);  // relaxed: undone
    if (count > 0) detail::throw_panic("sync: WaitGroup counter overflow");
    detail::throw_panic("sync: negative WaitGroup counter");
  }
  base::list<detail::waiter> woken;
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  while (detail::waiter* const w = b.quiet.first(this)) {
    b.quiet.remove(w);
    w->result = detail::outcome::granted;
    woken.push_back(w);
    state_.fetch_sub(1, std::memory_order_relaxed);                    // relaxed: the bucket's lock
  }
  b.lock().unlock();
  sync::wake_all(woken);
}

}  // namespace rove
