// The mutex's slow paths.
//
// state_ is 0 or 1; lock is an exchange, unlock a plain store (src/sync/parking.hpp says how a waiter is not missed).
// Running goroutines may take a free mutex before those who wait ("barging"): a lock that is handed to a parked
// goroutine stands still until that one runs. So unlock wakes one waiter and forgets it: the woken one tries, and
// queues in front again if it lost. While it is on its way nobody else is woken: the bucket's attention is down.
//
// Nobody starves: a waiter that lost after a millisecond sets starving_ (with the bucket's lock held, so its mutex is
// alive). The next unlock then keeps state_ at 1 and gives the mutex to the first waiter. starving_ falls when the
// new owner is the last waiter or waited less than a millisecond. Only a holder reads or clears starving_ outside
// the bucket's lock; a holder that missed it unlocks as usual, and at most one more owner gets in between.
//
// A waiter whose time is up may be the one that was woken. It gives up only after it queued again, called attention and
// found the mutex locked: so the holder's unlock looks at those who are left.
//
// Pairs. MUTEX-RELEASE: the store of 0 with the exchange that reads it; a hand-over with the bucket's lock.
#include <rove/sync/mutex.hpp>

#include "src/base/check.hpp"
#include "src/os/os.hpp"
#include "src/sched/park.hpp"
#include "src/sync/held.hpp"
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

bool unlink_mutex(detail::waiter* w, detail::outcome why) {
  parking_bucket& b = parking_bucket::of(w->object);
  os::hold h(b.lock());
  if (w->result != detail::outcome::pending) return false;
  b.attentive.remove(w);
  w->result = why;
  return true;
}

// The one that was woken has the mutex; if others wait, its unlock must look.
void leave_others_noticed(parking_bucket& b, const void* object) {
  os::hold h(b.lock());
  if (b.attentive.first(object)) b.keep_attention(object);
}

// With the bucket's lock held, which is given back: waits until somebody woke it or its time is up.
ROVE_ALWAYS_INLINE detail::outcome wait_for_turn(mutex_waiter& w, parking_bucket& b, os::nanoseconds limit) {
  if (limit != os::never) return sched::wait(w, detail::wait_reason::mutex_lock, b.lock(), limit);
  const detail::departure d = sched::park(w, detail::wait_reason::mutex_lock, b.lock());
  if (d.to) detail::depart(d);
  return w.result;
}

}  // namespace

bool mutex::lock_slow(std::int64_t limit) {
  for (int i = 0; i < spins; ++i) {
    base::real_atomics::pause();
    if (state_.load(std::memory_order_relaxed) == 0 &&                 // relaxed: the exchange decides
        state_.exchange(1, std::memory_order_acquire) == 0)            // MUTEX-RELEASE
      return true;
  }
  mutex_waiter w;
  sched::prepare(w, this, unlink_mutex);
  parking_bucket& b = parking_bucket::of(this);
  for (;;) {
    b.lock().lock();
    const bool again = w.since != 0;
    const os::nanoseconds now = sched::now();
    if (!again) w.since = now;
    w.result = detail::outcome::pending;
    w.woken.store(0, std::memory_order_relaxed);                       // relaxed: the bucket's lock
    again ? b.attentive.push_front(&w) : b.attentive.push_back(&w);
    b.call_attention(this);
    const bool free = state_.exchange(1, std::memory_order_acquire) == 0;  // MUTEX-RELEASE
    if (free || now >= limit) {
      b.attentive.remove(&w);
      b.lock().unlock();
      return free;
    }
    if (now - w.since > starving_after) starving_.store(1, std::memory_order_relaxed);  // relaxed: see above
    const detail::outcome how = wait_for_turn(w, b, limit);
    if (how == detail::outcome::ended) sched::unwind_current();
    if (how == detail::outcome::timed_out) return false;
    if (w.owner) return true;
    if (state_.load(std::memory_order_relaxed) == 0 &&                 // relaxed: the exchange decides
        state_.exchange(1, std::memory_order_acquire) == 0) {          // MUTEX-RELEASE
      leave_others_noticed(b, this);
      return true;
    }
  }
}

bool mutex::lock_until(std::int64_t limit) {
  const bool watched = detail::ending.load(std::memory_order_relaxed);  // relaxed: a hint
  if (watched && detail::end_check()) return try_lock();
  if (!lock_slow(limit)) return false;
  if (watched) note_owner();
  return true;
}

void mutex::lock_watched() {
  if (detail::end_check()) {
    for (int i = 0; i < spins; ++i) {
      if (try_lock()) return;
      base::real_atomics::pause();
    }
    return sync::pretend(this);
  }
  if (state_.exchange(1, std::memory_order_acquire) != 0)              // MUTEX-RELEASE
    lock_slow(os::never);
  note_owner();
}

void mutex::note_owner() { sync::note_owner(this); }

bool mutex::unlock_watched() {
  if (sync::end_pretence(this) != 0) return true;
  if (state_.load(std::memory_order_relaxed) != 0) sync::check_owner(this);  // relaxed: the holder's own
  return false;
}

// The mutex is free, and perhaps gone: wakes one who waits at this address.
void mutex::wake_one(const void* address) {
  parking_bucket& b = parking_bucket::of(address);
  b.lock().lock();
  detail::waiter* const w = b.attentive.first(address);
  if (w) {
    b.attentive.remove(w);
    w->result = detail::outcome::granted;
  }
  // Who was woken calls attention again when it fails, or when it leaves others behind. Waiters for other objects of
  // the bucket need it up.
  if (b.attentive.only(address)) b.drop_attention();
  b.lock().unlock();
  if (w) sched::wake(w);
}

void mutex::hand_over() {
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  auto* const w = static_cast<mutex_waiter*>(b.attentive.first(this));
  if (!w) {  // they were ended, or their time was up
    starving_.store(0, std::memory_order_relaxed);                     // relaxed: the holder's, under the lock
    b.lock().unlock();
    state_.store(0, std::memory_order_release);                        // MUTEX-RELEASE
    if (detail::parking_attention(this)) wake_one(this);
    return;
  }
  b.attentive.remove(w);
  w->result = detail::outcome::granted;
  w->owner = true;
  if (!b.attentive.first(this) || sched::now() - w->since < starving_after)
    starving_.store(0, std::memory_order_relaxed);                     // relaxed: the holder's, under the lock
  b.lock().unlock();
  sched::wake(w);
}

void mutex::unlock_unlocked() { base::fatal("sync: unlock of unlocked mutex"); }

}  // namespace rove
