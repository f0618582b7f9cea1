// The mutex's slow paths.
//
// state_ is 0 or 1; lock is an exchange, unlock a plain store (src/sync/parking.hpp says how a waiter is not missed).
// Running goroutines may take a free mutex before those who wait ("barging"): a lock that is handed to a parked goroutine
// stands still until that one runs. So unlock wakes one waiter and forgets it: the woken one tries, and queues in front
// again if it lost. While it is on its way nobody else is woken: the bucket's attention is down.
//
// Nobody starves: a waiter that lost after a millisecond sets starving_ (with the bucket's lock held, so its mutex is
// alive). The next unlock then keeps state_ at 1 and gives the mutex to the first waiter. starving_ falls when the
// new owner is the last waiter or waited less than a millisecond. Only a holder reads or clears starving_ outside
// the bucket's lock; a holder that missed it unlocks as usual, and at most one more owner gets in between.
//
// Pairs. MUTEX-RELEASE: the store of 0 with the exchange that reads it; a hand-over with the bucket's lock.
#include <vector>

#include <rove/go.hpp>
#include <rove/sync.hpp>

#include "src/base/check.hpp"
#include "src/os/os.hpp"
#include "src/sched/park.hpp"
#include "src/sync/parking.hpp"

namespace rove {

struct mutex_waiter : detail::waiter {
  os::nanoseconds since = 0;
  bool owner = false;                 // it was given the mutex
};

namespace {

constexpr os::nanoseconds starving_after = 1'000'000;
constexpr int spins = 30;             // some hundred nanoseconds: the holder may run on another CPU

using sync::parking_bucket;

struct pretence {
  std::uint64_t goroutine;
  const mutex* lock;
};
os::lock pretended_lock{os::rank::pretended};
std::vector<pretence>& pretended = *new std::vector<pretence>;  // never destroyed: threads may outlive main

bool unlink_mutex(detail::waiter* w, detail::outcome why) {
  parking_bucket& b = parking_bucket::of(w->object);
  os::hold h(b.lock());
  if (w->result != detail::outcome::pending) return false;
  b.remove(w);
  w->result = why;
  return true;
}

// The one that was woken has the mutex; if others wait, its unlock must look. No fence: the holder itself will unlock.
void leave_others_noticed(parking_bucket& b, const void* object) {
  os::hold h(b.lock());
  if (b.first(object)) b.set_attention(true);
}

}  // namespace

void mutex::lock_slow() {
  for (int i = 0; i < spins; ++i) {
    base::real_atomics::pause();
    if (try_lock()) return;
  }
  mutex_waiter w;
  sched::prepare(w, this, unlink_mutex);
  parking_bucket& b = parking_bucket::of(this);
  for (;;) {
    b.lock().lock();
    const bool again = w.since != 0;
    const os::nanoseconds now = os::now();
    if (!again) w.since = now;
    w.result = detail::outcome::pending;
    w.woken.store(0, std::memory_order_relaxed);                       // relaxed: the bucket's lock
    again ? b.push_front(&w) : b.push_back(&w);
    b.call_attention();
    if (state_.exchange(1, std::memory_order_acquire) == 0) {          // MUTEX-RELEASE
      b.remove(&w);
      b.lock().unlock();
      return;
    }
    if (now - w.since > starving_after) starving_.store(1, std::memory_order_relaxed);  // relaxed: see above
    const detail::departure d = sched::park(w, detail::wait_reason::mutex_lock, b.lock());
    if (d.to) detail::depart(d);
    if (w.result == detail::outcome::ended) sched::unwind_current();
    if (w.owner) return;
    if (try_lock()) return leave_others_noticed(b, this);
  }
}

// A goroutine that its runtime's end unwinds goes on without the lock if it cannot have it at once; the pair is noted, so
// that its unlock leaves the true owner alone. The list is empty but for the last moments of a runtime.
void mutex::lock_unwinding() {
  for (int i = 0; i < spins; ++i) {
    if (try_lock()) return;
    base::real_atomics::pause();
  }
  os::hold h(pretended_lock);
  pretended.push_back({this_goroutine::id(), this});
}

bool mutex::unlock_unwinding() {
  const std::uint64_t id = this_goroutine::id();
  os::hold h(pretended_lock);
  for (pretence& p : pretended) {
    if (p.goroutine != id || p.lock != this) continue;
    p = pretended.back();
    pretended.pop_back();
    return true;
  }
  return false;
}

// The mutex is free, and perhaps gone: wakes one who waits at this address.
void mutex::wake_one(const void* address) {
  parking_bucket& b = parking_bucket::of(address);
  b.lock().lock();
  detail::waiter* const w = b.first(address);
  if (w) {
    b.remove(w);
    w->result = detail::outcome::granted;
  }
  // Who was woken calls attention again when it fails, or when it leaves others behind. Waiters for other objects of the
  // bucket need it up.
  if (b.only(address)) b.set_attention(false);
  b.lock().unlock();
  if (w) sched::wake(w);
}

void mutex::hand_over() {
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  auto* const w = static_cast<mutex_waiter*>(b.first(this));
  if (!w) {  // they were ended
    starving_.store(0, std::memory_order_relaxed);                     // relaxed: the holder's, under the lock
    b.lock().unlock();
    return unlock();
  }
  b.remove(w);
  w->result = detail::outcome::granted;
  w->owner = true;
  if (!b.first(this) || os::now() - w->since < starving_after)
    starving_.store(0, std::memory_order_relaxed);                     // relaxed: the holder's, under the lock
  b.lock().unlock();
  sched::wake(w);
}

void mutex::unlock_unlocked() { base::fatal("sync: unlock of unlocked mutex"); }

}  // namespace rove
