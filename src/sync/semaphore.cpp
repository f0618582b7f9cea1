// The semaphore's slow paths.
//
// Units are taken and given back by an exchange of the word while nobody waits. Who does not find enough sets
// waited_for, under the bucket's lock, and queues; from then on all go through the bucket. A release hands what is free
// to the first waiters, as long as it is enough for the next: so a waiter that returns holds its units already.
// When a waiter leaves without having got any, those behind it may have enough: it looks for them itself.
//
// A goroutine that its runtime's end unwinds takes what is free, else it goes on without; that is noted (held.hpp), and
// the units that it gives back then are none. If another goroutine gives them back, that is not known before the units
// of all others are there, too: then there are more than the semaphore has, and the note says that they are not missed.
//
// Pairs. SEM-FREE: release of who gives back with the acquire of who takes; in the bucket its lock orders them.
#include <rove/sync/semaphore.hpp>

#include <algorithm>

#include <rove/error.hpp>

#include "src/sched/park.hpp"
#include "src/sync/held.hpp"
#include "src/sync/semaphore.hpp"

namespace rove {

using sync::parking_bucket;
using sync::waiter_queue;

using sync::semaphore_waiter;

// Under the bucket's lock, by one before whom nobody waits. False: there is not enough, and waited_for is set.
bool semaphore::take_locked(std::ptrdiff_t n) {
  std::int64_t s = state_.load(std::memory_order_relaxed);                     // relaxed: the exchange decides
  std::int64_t next;
  do {
    next = s / unit >= n ? s - n * unit : s | waited_for;
  } while (!state_.compare_exchange_weak(s, next, std::memory_order_acquire)); // SEM-FREE
  return s / unit >= n;
}

// Under the bucket's lock: hands what is free to those for whom it is enough, and collects who is to be woken. Its last
// look at the semaphore is the last of whoever calls it, since the next one to have all units may destroy it.
void semaphore::grant_locked(base::list<detail::waiter>& granted) {
  waiter_queue& queue = parking_bucket::of(this).quiet;
  void* const key = sync::key_of(this, sync::kind::semaphore);
  detail::waiter* w;
  while ((w = queue.first(key)) && take_locked(static_cast<semaphore_waiter*>(w)->wanted)) {
    queue.remove(w);
    w->result = detail::outcome::granted;
    if (static_cast<semaphore_waiter*>(w)->parked) granted.push_back(w);
  }
  if (!w) state_.fetch_and(~waited_for, std::memory_order_relaxed);            // relaxed: the bucket's lock
}

void semaphore::grant() {
  base::list<detail::waiter> granted;
  os::lock& lock = parking_bucket::of(this).lock();
  lock.lock();
  grant_locked(granted);
  lock.unlock();
  sync::wake_all(granted);
}

void semaphore::release_slow(std::ptrdiff_t n) {
  base::list<detail::waiter> granted;
  os::lock& lock = parking_bucket::of(this).lock();
  lock.lock();
  std::int64_t s = state_.load(std::memory_order_relaxed);                     // relaxed: the exchange decides
  bool fits;
  do {
    fits = n <= size_ - s / unit;
  } while (fits && !state_.compare_exchange_weak(s, s + n * unit, std::memory_order_release));  // SEM-FREE
  if (fits && (s & waited_for)) grant_locked(granted);
  lock.unlock();
  sync::wake_all(granted);
  if (!fits) surplus(n);
}

void semaphore::acquire_slow(std::ptrdiff_t n) {
  if (n < 0) negative();
  if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) {  // relaxed: a hint
    if (!try_acquire(n) && n > 0) sync::pretend(sync::key_of(this, sync::kind::semaphore), n);
    return;
  }
  semaphore_waiter w;
  w.wanted = n;
  w.parked = true;
  const bool hopeless = n > size_;             // waits where it is in nobody's way
  sync::prepare(w, hopeless ? &size_ : static_cast<const void*>(this), sync::kind::semaphore);
  parking_bucket& b = parking_bucket::of(sync::object_of(&w));
  b.lock().lock();
  if (!hopeless && !b.quiet.first(w.object) && take_locked(n)) return b.lock().unlock();
  if (!hopeless) state_.fetch_or(waited_for, std::memory_order_relaxed);       // relaxed: the bucket's lock
  b.quiet.push_back(&w);
  if (sched::wait(w, detail::wait_reason::semacquire, b.lock()) != detail::outcome::ended) return;
  if (!hopeless) grant();
  sched::unwind_current();
}

// Of n units that are given back, those that the goroutine had.
std::ptrdiff_t semaphore::true_units(std::ptrdiff_t n, bool anybody) const {
  while (n > 0) {
    const std::ptrdiff_t pretended = sync::end_pretence(sync::key_of(this, sync::kind::semaphore), n, anybody);
    if (pretended == 0) break;
    n -= pretended;
  }
  return n;
}

// n do not fit. Units that a goroutine went on without may have come back by another one, and now all are there.
void semaphore::surplus(std::ptrdiff_t n) {
  const std::ptrdiff_t fit = size_ - state_.load(std::memory_order_relaxed) / unit;  // relaxed: the exchange decides
  if (n > fit && true_units(n - fit, true) != 0) too_much();
  if (std::min(n, fit) > 0) release(std::min(n, fit));
}

void semaphore::negative() { detail::throw_panic("rove: negative semaphore weight"); }
void semaphore::too_much() { detail::throw_panic("semaphore: released more than held"); }

}  // namespace rove
