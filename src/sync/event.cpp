// The event's slow paths.
//
// Nobody waits while it is set: who finds it unset says so in the same word (waited_for) before it queues, with the
// bucket's lock held, and `set` then goes through the bucket. An auto-reset event that somebody waits for is not set at
// all: the first waiter is let through under the lock. try_wait takes no lock, so the flag belongs to whose exchange
// takes it away, also in wait_slow; who was too late queues, and `set` cannot come in between, since waited_for is up.
//
// Pairs. EVENT-SET: release of set with the acquire of who is let through without waiting; of who takes the flag away,
// too.
#include <rove/sync/event.hpp>

#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove {

using sync::parking_bucket;

void event::set_slow() {
  base::list<detail::waiter> granted;
  void* const key = sync::key_of(this, sync::kind::event);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  detail::waiter* const first = b.quiet.first(key);
  const bool one = mode_ == mode::auto_reset && first;
  if (one) {
    b.quiet.remove(first);
    first->result = detail::outcome::granted;
    granted.push_back(first);
  } else {
    b.quiet.grant_all(key, granted);
  }
  if (!b.quiet.first(key)) state_.fetch_and(~waited_for, std::memory_order_relaxed);  // relaxed: the bucket's lock
  if (!one) state_.fetch_or(is_set, std::memory_order_release);               // EVENT-SET; who sees it may destroy it
  b.lock().unlock();
  sync::wake_all(granted);
}

bool event::wait_slow(std::int64_t limit) {
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) return try_wait();  // relaxed: a hint
  if (try_wait()) return true;
  if (limit == 0) return false;
  detail::waiter w;
  sync::prepare(w, this, sync::kind::event);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  const std::uint32_t s = state_.fetch_or(waited_for, std::memory_order_acq_rel);  // EVENT-SET
  // try_wait does not take the lock, and may have been quicker.
  const bool taken = s & is_set && (mode_ == mode::manual_reset ||
                                    state_.fetch_and(~is_set, std::memory_order_acquire) & is_set);  // EVENT-SET
  if (taken) {
    if (!b.quiet.first(w.object)) state_.fetch_and(~waited_for, std::memory_order_relaxed);  // relaxed: the bucket's lock
    b.lock().unlock();
    return true;
  }
  b.quiet.push_back(&w);
  const detail::outcome how = sched::wait(w, detail::wait_reason::event, b.lock(), limit);
  if (how == detail::outcome::ended) sched::unwind_current();
  return how == detail::outcome::granted;
}

}  // namespace rove
