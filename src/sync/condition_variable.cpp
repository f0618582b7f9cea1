// The condition variable.
//
// Problem. A waiter gives back a lock of somebody else's making between queueing and parking; a notification in between
// must not be lost, and must not resume a goroutine that still stands on its stack.
//
// Invariant. Who notifies after the lock was given back finds the waiter in its queue, or somebody took it off before.
// Only one that has parked is woken.
//   waiter:    1 bucket's lock: queue; waited_for_ = 1; release.  2 give the user's lock back.  3 bucket's lock: taken
//              off meanwhile: done, else parked = true and park; the commit releases the bucket's lock.  4 the user's
//              lock again.
//   notifier:  1 waited_for_ is 0: done.  2 bucket's lock: first waiter off the queue, its result written; nobody is
//              left: waited_for_ = 0; release.  3 it had parked: wake it.
// A notifier that changed what is waited for under the user's lock after step 2 sees waited_for_ by that lock; so its
// load is relaxed. The queue is in the order of step 1: first come, first notified. Nothing else ends a wait but a
// limit, a stop request and the runtime's end, so no wake-up is without a reason.
//
// Rejected: moving a notified waiter over to the mutex's queue (it would have to know how each lock is made).
#include <rove/sync/condition_variable.hpp>

#include <type_traits>

#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove::detail {

using sync::parking_bucket;

void condition::queue(early_waiter& w) {
  sync::prepare(w, this, sync::kind::condition);
  parking_bucket& b = parking_bucket::of(this);
  os::hold h(b.lock());
  b.quiet.push_back(&w);
  waited_for_.store(1, std::memory_order_relaxed);                // relaxed: the user's lock, see above
}

outcome condition::park(early_waiter& w, std::int64_t limit) {
  os::lock& lock = parking_bucket::of(sync::object_of(&w)).lock();
  lock.lock();
  if (w.result != outcome::pending) {
    lock.unlock();
    return w.result;
  }
  w.parked = true;
  return sched::wait(w, wait_reason::cond_wait, lock, limit);
}

void condition::notify(bool all) noexcept {
  base::list<waiter> granted;
  void* const key = sync::key_of(this, sync::kind::condition);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  do {
    waiter* const w = b.quiet.first(key);
    if (!w) break;
    b.quiet.remove(w);
    w->result = outcome::granted;
    if (static_cast<early_waiter*>(w)->parked) granted.push_back(w);
  } while (all);
  if (!b.quiet.first(key)) waited_for_.store(0, std::memory_order_relaxed);  // relaxed: the bucket's lock
  b.lock().unlock();
  sync::wake_all(granted);
}

void condition::cancel(early_waiter& w) { sync::cancel(w); }
void condition::end() { sched::unwind_current(); }

}  // namespace rove::detail
