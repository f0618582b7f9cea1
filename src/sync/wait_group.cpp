// The wait_group's slow paths.
//
// Problem. `done` is one addition where nobody waits, and whoever brings the counter to zero must not touch the wait_group
// if a waiter may have seen that and destroyed it. A round of starting one and waiting for it should cost few locked
// instructions: each is a tenth of the whole.
//
// Invariant. Whoever sleeps queued while the counter was not zero and the bit `waited_for`, in the same word, was set, and
// held the bucket's lock from before it saw that until it was parked. So the addition that makes the counter zero comes
// after, finds the bit, and its caller finds the waiter behind the lock.
//
// The bit is never cleared: who finds nobody queued cannot, since the wait_group may be gone; who finds somebody need
// not, since the next round then does without setting it. A stale bit costs one look into the bucket. But it also means
// that one who was late may find the waiter of another round, or of another wait_group in the same place: a queued waiter
// proves that its wait_group is alive, so the counter is looked at again, and that one's own last `done` will come if it
// is not zero.
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
  w->result = why;
  return true;
}

detail::departure wait_group::wait_begin(detail::waiter& w) {
  sched::prepare(w, this, unlink);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  std::uint64_t state = state_.load(std::memory_order_acquire);          // WG-COUNT
  if (!(state & waited_for))
    state = state_.fetch_or(waited_for, std::memory_order_acquire);      // WG-COUNT
  if (state >> 32 == 0) {
    b.lock().unlock();
    w.result = detail::outcome::granted;
    return {};
  }
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
  // Undone: in between somebody may have found a count to wait for.
  if (count != 0)
    state_.fetch_sub(static_cast<std::uint64_t>(static_cast<std::int64_t>(n)) << 32, std::memory_order_acq_rel);  // WG-COUNT
  base::list<detail::waiter> woken;
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  if (b.quiet.first(this) && state_.load(std::memory_order_acquire) >> 32 == 0)  // WG-COUNT
    b.quiet.grant_all(this, woken);
  b.lock().unlock();
  sync::wake_all(woken);
  if (count > 0) detail::throw_panic("sync: WaitGroup counter overflow");
  if (count < 0) detail::throw_panic("sync: negative WaitGroup counter");
}

}  // namespace rove
