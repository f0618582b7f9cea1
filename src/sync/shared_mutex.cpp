// The read-write mutex's slow paths.
//
// Problem. A reader should pay one locked addition to come in and one to leave, also while others do; a writer must not
// be starved by readers that never leave it a gap, nor readers by writers; and who leaves must not touch the mutex
// afterwards.
//
// Invariants. (1) A writer has it: no reader is inside. (2) Somebody waits: the lock is held, or a writer was called
// and is on its way, or whoever will see to it holds the bucket's lock or is about to take it.
// Flags change under the bucket's lock, but for `writer`, and `called` by the one who was.
//   reader:    in:   1 add `reader`; not closed: inside.  2 closed: leave again as a reader that was inside does.  3
//                    bucket's lock; closed still: readers_wait in the same exchange, queue, park. Who wakes it has
//                    counted it in.
//              out:  1 subtract.  2 it was the last, and writers_wait: bucket's lock, by address; a writer is in the
//                    queue (so the mutex is alive) and nobody inside: the first writer gets it (`writer` is set for
//                    it).
//   writer:    in:   1 from 0 to `writer`; or from any state without a reader, a writer and `handing`.  2 bucket's
//                    lock; the same once more, or writers_wait in the same exchange, queue, park.  3 woken: it is its
//                    own, or it was called to try: the same again, in front of the queue.
//              out:  1 nobody waits, or only writers and one of them is called already: `writer` away.  2 else under
//                    the bucket's lock: all readers that wait are counted in; if there are none, the first writer is
//                    called, or, `handing`, gets it. All that in one exchange, after which the mutex is not touched.
// So writers that run overtake writers that are parked (a lock that is handed to a parked goroutine stands still until
// that one runs), but not readers that wait; a writer that lost after a millisecond sets `handing`. Readers overtake
// nobody.
// A waiter that is ended leaves flags that are no longer true and perhaps others who could go on: it takes stock before
// it unwinds.
//
// Rejected: Go's way (a mutex for the writers, a count that becomes negative, a second count of readers to wait for):
// its Unlock lets readers in and then still unlocks the writers' mutex, so that it could not be destroyed by one of
// them.
//
// Pairs. RW-STATE: release of everybody's leaving with the acquire of everybody's coming in; all are exchanges of one
// word.
#include <rove/sync/shared_mutex.hpp>

#include "src/base/check.hpp"
#include "src/os/os.hpp"
#include "src/sched/park.hpp"
#include "src/sync/held.hpp"
#include "src/sync/parking.hpp"

namespace rove {

using sync::parking_bucket;

namespace {

constexpr os::nanoseconds starving_after = 1'000'000;
constexpr int spins = 30;             // some hundred nanoseconds: who has it may run on another CPU

struct writer_waiter : detail::waiter {
  os::nanoseconds since = 0;
  bool owner = false;                 // it was given the mutex
};

void* writers_key(const void* mutex) { return sync::key_of(mutex, sync::kind::writers); }
void* readers_key(const void* mutex) { return sync::key_of(mutex, sync::kind::readers); }

// Changes the word by `f`, which may look at it again and again.
template <class F>
std::uint32_t change(std::atomic<std::uint32_t>& word, F f) {
  std::uint32_t s = word.load(std::memory_order_relaxed);  // relaxed: the exchange decides
  while (!word.compare_exchange_weak(s, f(s), std::memory_order_acq_rel)) {               // RW-STATE
  }
  return s;
}

std::uint32_t count(const base::list<detail::waiter>& all) {
  std::uint32_t n = 0;
  for (const detail::waiter* w = all.front(); w; w = w->next) ++n;
  return n;
}

// The first writer off the queue, with the bucket's lock held.
writer_waiter* take_writer(parking_bucket& b, const void* key, bool owner) {
  auto* const w = static_cast<writer_waiter*>(b.quiet.first(key));
  if (!w) return nullptr;
  b.quiet.remove(w);
  w->owner = owner;
  w->result = detail::outcome::granted;
  return w;
}

}  // namespace

// ---- readers --------------------------------------------------------------------------------------------------------

void shared_mutex::lock_shared_slow() {
  left(this, state_.fetch_sub(reader, std::memory_order_release));                        // RW-STATE
  for (int i = 0; i < spins; ++i) {
    base::real_atomics::pause();
    if (try_lock_shared()) return;
  }
  detail::waiter w;
  sync::prepare(w, this, sync::kind::readers);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  const std::uint32_t s =
      change(state_, [](std::uint32_t now) { return now & closed ? now | readers_wait : now + reader; });
  if (!(s & closed)) return b.lock().unlock();
  b.quiet.push_back(&w);
  const detail::departure d = sched::park(w, detail::wait_reason::rwmutex_rlock, b.lock());
  if (d.to) detail::depart(d);
  if (w.result == detail::outcome::ended) {
    take_stock();
    sched::unwind_current();
  }
}

void shared_mutex::left(const void* address, std::uint32_t before) {
  if (before < reader) base::fatal("sync: RUnlock of unlocked RWMutex");
  if (before >= 2 * reader || !(before & writers_wait)) return;
  detail::waiter* handed = nullptr;
  parking_bucket& b = parking_bucket::of(address);
  b.lock().lock();
  void* const key = writers_key(address);
  if (b.quiet.first(key)) {                                            // so it is alive
    auto& word = static_cast<shared_mutex*>(const_cast<void*>(address))->state_;
    std::uint32_t s = word.load(std::memory_order_acquire);                               // RW-STATE
    while (!(s & writer) && s < reader) {
      if (!word.compare_exchange_weak(s, (s | writer) & ~handing, std::memory_order_acq_rel)) continue;  // RW-STATE
      handed = take_writer(b, key, true);
      if (!b.quiet.first(key)) word.fetch_and(~writers_wait, std::memory_order_relaxed);  // relaxed: the bucket's lock
      break;
    }
  }
  b.lock().unlock();
  if (handed) sched::wake(handed);
}

// ---- writers --------------------------------------------------------------------------------------------------------

void shared_mutex::lock_slow() {
  const auto is_free = [](std::uint32_t s) { return !(s & (writer | handing)) && s < reader; };
  for (int i = 0; i < spins; ++i) {
    base::real_atomics::pause();
    std::uint32_t s = state_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    if (is_free(s) && state_.compare_exchange_weak(s, s | writer, std::memory_order_acquire)) return;  // RW-STATE
  }
  writer_waiter w;
  sync::prepare(w, this, sync::kind::writers);
  parking_bucket& b = parking_bucket::of(this);
  std::uint32_t done = 0;              // `called`, once it is this one that was
  for (;;) {
    b.lock().lock();
    const bool again = w.since != 0;
    const os::nanoseconds now = sched::now();
    if (!again) w.since = now;
    const std::uint32_t waits = writers_wait | (now - w.since > starving_after ? handing : 0);
    const std::uint32_t s =
        change(state_, [&](std::uint32_t x) { return (x | (is_free(x) ? writer : waits)) & ~done; });
    if (is_free(s)) return b.lock().unlock();
    w.result = detail::outcome::pending;
    w.woken.store(0, std::memory_order_relaxed);                                          // relaxed: the bucket's lock
    again ? b.quiet.push_front(&w) : b.quiet.push_back(&w);
    const detail::departure d = sched::park(w, detail::wait_reason::rwmutex_lock, b.lock());
    if (d.to) detail::depart(d);
    if (w.result == detail::outcome::ended) {
      take_stock();
      sched::unwind_current();
    }
    if (w.owner) return;
    done = called;
    std::uint32_t x = state_.load(std::memory_order_relaxed);  // relaxed: the exchange decides
    while (is_free(x))
      if (state_.compare_exchange_weak(x, (x | writer) & ~called, std::memory_order_acquire)) return;  // RW-STATE
  }
}

void shared_mutex::unlock_slow(std::uint32_t s) {
  do {
    if (!(s & writer)) base::fatal("sync: Unlock of unlocked RWMutex");
    if ((s & (readers_wait | handing)) || (s & (writers_wait | called)) == writers_wait) break;
    if (state_.compare_exchange_weak(s, s & ~writer, std::memory_order_release, std::memory_order_relaxed)) return;  // RW-STATE
  } while (true);
  base::list<detail::waiter> granted;
  void* const key = writers_key(this);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  b.quiet.grant_all(readers_key(this), granted);
  const std::uint32_t readers = count(granted) * reader;
  s = state_.load(std::memory_order_relaxed);  // relaxed: flags change under the lock, `called` falls
  const bool hand_over = readers == 0 && (s & handing);
  writer_waiter* next = nullptr;
  if (hand_over || (readers == 0 && !(s & called))) next = take_writer(b, key, hand_over);
  const std::uint32_t gone = readers_wait | (next ? handing : 0) | (hand_over && next ? 0 : writer) |
                             (b.quiet.first(key) ? 0 : writers_wait | handing);
  const std::uint32_t come = next && !hand_over ? called : 0;
  change(state_, [&](std::uint32_t x) { return ((x & ~gone) | come) + readers; });
  b.lock().unlock();
  sync::wake_all(granted);
  if (next) sched::wake(next);
}

// ---- what is rare ---------------------------------------------------------------------------------------------------

// Somebody left the queue without having got anything.
void shared_mutex::take_stock() {
  base::list<detail::waiter> granted;
  void* const key = writers_key(this);
  parking_bucket& b = parking_bucket::of(this);
  b.lock().lock();
  const bool writers = b.quiet.first(key);
  std::uint32_t s = change(state_, [&](std::uint32_t x) { return writers ? x : x & ~(writers_wait | handing); });
  s = state_.load(std::memory_order_relaxed);                          // relaxed: flags change under the lock
  if (!(s & closed)) {
    b.quiet.grant_all(readers_key(this), granted);
    const std::uint32_t readers = count(granted) * reader;
    change(state_, [&](std::uint32_t x) { return (x & ~readers_wait) + readers; });
  }
  b.lock().unlock();
  sync::wake_all(granted);
  if (writers) left(this, reader | writers_wait);                      // as if a reader had gone
}

void shared_mutex::lock_watched() {
  if (detail::end_check()) {
    for (int i = 0; i < spins; ++i) {
      if (try_lock()) return;
      base::real_atomics::pause();
    }
    return sync::pretend(writers_key(this));
  }
  if (!try_lock()) {
    lock_slow();
    note_owner();
  }
}

void shared_mutex::lock_shared_watched() {
  const bool passes = detail::end_check();
  if (try_lock_shared()) return;
  if (passes) return sync::pretend(readers_key(this));
  state_.fetch_add(reader, std::memory_order_relaxed);                 // relaxed: lock_shared_slow takes it back
  lock_shared_slow();
}

bool shared_mutex::unlock_watched() {
  if (sync::end_pretence(writers_key(this)) != 0) return true;
  if (state_.load(std::memory_order_relaxed) & writer) sync::check_owner(writers_key(this));  // relaxed: the holder's own
  return false;
}

bool shared_mutex::unlock_shared_watched() { return sync::end_pretence(readers_key(this)) != 0; }

void shared_mutex::note_owner() { sync::note_owner(writers_key(this)); }

}  // namespace rove
