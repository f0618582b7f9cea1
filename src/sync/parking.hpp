// The parking table: waiters for small objects, in queues by address.
//
// Problem. A mutex should be two words and cost one locked instruction a pair; and whoever unlocks must not touch it
// after the unlocking store, since the next owner may destroy it. So its waiters, and the word that says that there are
// some, lie in static memory.
//
// Invariant. If a waiter is in a bucket's `attentive` queue and nobody was sent for it, then whoever releases its
// object later sees the bucket's `attention` set, or the waiter saw the object free before it slept.
//   waiter:    1 bucket's lock.  2 queue; attention = 1; if it was 0: heavy fence.  3 look at the object once more:
//              free: out of the queue again, done.  4 park; the commit releases the bucket's lock.
//   releaser:  1 release the object by a plain store.  2 light fence; load attention.  3 set: bucket's lock, first
//              waiter of this address out of the queue, wake it.
// Attention that was set by another waiter before is as good: that waiter's fence was passed while it held the bucket's
// lock, so every release before it is visible to whoever takes the lock later. A holder that leaves waiters behind sets
// attention without a fence (keep_attention): it is one of those who will release that object, and so will be those who
// have it after it; but somebody who releases another object of the bucket may have looked before and its release still
// be on its way. So the bucket remembers for which object alone the attention is good, and the next waiter for another
// one passes a fence.
//
// The `quiet` queue is for objects with a bit of their own that says "somebody waits". It is set by who queues, under
// the bucket's lock, with an operation that also shows whether there is something to wait for; who makes a change that
// others may wait for learns of the bit by the same operation, and then takes the bucket's lock. The bit may be stale
// (waiters leave without clearing it when their time is up or their runtime ends): whoever finds nobody clears it.
//
// Keys. A waiter that stands in the queue proves that its object is alive. Where a waker comes by address alone, when
// the object may be gone already, it must not take an object of another kind at the same address for its own: so each
// kind's waiters have a key of their own, an address inside the object. Whoever finds a waiter by such a key may look
// at the object, and must, since it may be another one of the same kind.
//
// Pairs. PARK-ATTENTION: attention = 1, heavy fence, look at the object | release, light fence, load attention.
#pragma once

#include <rove/detail/parking.hpp>
#include <rove/detail/waiter.hpp>

#include "src/base/atomic.hpp"
#include "src/base/list.hpp"
#include "src/os/lock.hpp"

namespace rove::sync {

// Those who wait, for whichever object of the bucket, in the order of their coming.
class waiter_queue {
 public:
  void push_back(detail::waiter* w) { all_.push_back(w); }
  void push_front(detail::waiter* w) { all_.push_front(w); }
  void remove(detail::waiter* w) { all_.remove(w); }
  // Who waits longest for this object; null: nobody.
  detail::waiter* first(const void* object) const {
    detail::waiter* w = all_.front();
    while (w && w->object != object) w = w->next;
    return w;
  }
  // Nobody waits here for another object.
  bool only(const void* object) const {
    for (detail::waiter* w = all_.front(); w; w = w->next)
      if (w->object != object) return false;
    return true;
  }
  // Grants it to all who wait for this object, and adds them to `granted`, to be woken when the lock was given back.
  void grant_all(const void* object, base::list<detail::waiter>& granted);

 private:
  base::list<detail::waiter> all_;
};

class alignas(64) parking_bucket {
 public:
  static parking_bucket& of(const void* object);

  os::lock& lock() { return lock_; }

  // ---- with the lock held
  waiter_queue attentive;
  waiter_queue quiet;

  // By who waits for the object.
  void call_attention(const void* object) {
    auto& word = attention();
    if (word.load(std::memory_order_relaxed) && (!kept_for_ || kept_for_ == object)) return;  // relaxed: lock
    kept_for_ = nullptr;
    word.store(1, std::memory_order_relaxed);          // PARK-ATTENTION
    base::real_atomics::heavy_fence();                 // PARK-ATTENTION
  }
  // By who has the object, and will release it.
  void keep_attention(const void* object) {
    auto& word = attention();
    if (word.load(std::memory_order_relaxed)) return;  // relaxed: lock
    kept_for_ = object;
    word.store(1, std::memory_order_relaxed);          // relaxed: seen by who has the object now, and after it
  }
  void drop_attention() { attention().store(0, std::memory_order_relaxed); }  // relaxed: lock; the caller argues

 private:
  std::atomic<std::uint32_t>& attention();

  os::lock lock_{os::rank::object};
  const void* kept_for_ = nullptr;   // attention was set without a fence, for this object; null: with one
};

extern parking_bucket parking_table[detail::parking_buckets];

inline parking_bucket& parking_bucket::of(const void* object) { return parking_table[detail::parking_bucket_of(object)]; }

inline std::atomic<std::uint32_t>& parking_bucket::attention() {
  return detail::parking_words[this - parking_table].attention;
}

// ---- the quiet queue -----------------------------------------------------------------------------------------------

// Whose waiters they are, as a distance from the object's address. Such objects are aligned to eight bytes.
enum class kind : std::uint8_t { group, latch, barrier, event, semaphore, condition, writers, readers };

inline void* key_of(const void* object, kind k) {
  return const_cast<char*>(static_cast<const char*>(object)) + static_cast<std::uint8_t>(k);
}
inline void* object_of(const detail::waiter* w) {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(w->object) & ~std::uintptr_t{7});
}

// Ends the wait of an early waiter; nothing happens if somebody else did.
void cancel(detail::early_waiter& w);

// Fills in a waiter for the quiet queue.
void prepare(detail::waiter& w, const void* object, kind k);

// Whoever was granted something and waits no more is woken. With no lock held.
void wake_all(base::list<detail::waiter>& granted);

}  // namespace rove::sync
