// The latch's slow paths. The count and the word that somebody waits are one, so that the last count_down learns with
// its own subtraction whether it must wake anybody, and touches nothing afterwards if not. One that is too much is
// undone; in between somebody may have taken the count for one to wait for, or have brought it to zero without seeing
// it: so who undoes looks for waiters, too.
//
// Pairs. LATCH-COUNT: release of each count_down with the acquire of the wait that sees zero, or of the last
// count_down.
#include <rove/sync/latch.hpp>

#include <rove/error.hpp>

#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove {

using sync::parking_bucket;

void latch::count_down_slow(std::ptrdiff_t n, std::ptrdiff_t count) {
  const bool too_many = n < 0 || count < n;
  if (too_many) state_.fetch_add(static_cast<std::uint64_t>(n) << 1, std::memory_order_acq_rel);  // LATCH-COUNT
  // From here on it may be gone, but for those who wait.
  base::list<detail::waiter> granted;
  void* const key = sync::key_of(this, sync::kind::latch);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  if (b.quiet.first(key) && try_wait()) b.quiet.grant_all(key, granted);
  b.lock().unlock();
  sync::wake_all(granted);
  if (too_many) detail::throw_panic("rove: latch counted below zero");
}

void latch::wait_slow() const {
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) return;  // relaxed: a hint
  detail::waiter w;
  sync::prepare(w, this, sync::kind::latch);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  std::uint64_t s = state_.load(std::memory_order_acquire);                           // LATCH-COUNT
  do {
    if (s >> 1 == 0) return b.lock().unlock();
  } while (!state_.compare_exchange_weak(s, s | waited_for, std::memory_order_acquire));  // LATCH-COUNT
  b.quiet.push_back(&w);
  if (sched::wait(w, detail::wait_reason::latch, b.lock()) == detail::outcome::ended) sched::unwind_current();
}

}  // namespace rove
