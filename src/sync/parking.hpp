// The parking table: waiters for small objects, in queues by address.
//
// Problem. A mutex should be two words and cost one locked instruction a pair; and whoever unlocks must not touch it after
// the unlocking store, since the next owner may destroy it. So its waiters, and the word that says that there are some,
// lie in static memory.
//
// Invariant. If a waiter is queued in a bucket and nobody was sent for it, then whoever releases its object later sees
// the bucket's `attention` set, or the waiter saw the object free before it slept.
//   waiter:    1 bucket's lock.  2 queue; attention = 1; if it was 0: heavy fence.  3 look at the object once more: free:
//              out of the queue again, done.  4 park; the commit releases the bucket's lock.
//   releaser:  1 release the object by a plain store.  2 light fence; load attention.  3 set: bucket's lock, first waiter of
//              this address out of the queue, wake it.
// Attention that was set by another waiter before is as good: that waiter's fence was passed while it held the bucket's
// lock, so every release before it is visible to whoever takes the lock later.
//
// Pairs. PARK-ATTENTION: attention = 1, heavy fence, look at the object | release, light fence, load attention.
#pragma once

#include <rove/detail/parking.hpp>
#include <rove/detail/waiter.hpp>

#include "src/base/atomic.hpp"
#include "src/base/list.hpp"
#include "src/os/lock.hpp"

namespace rove::sync {

class alignas(64) parking_bucket {
 public:
  static parking_bucket& of(const void* object);

  os::lock& lock() { return lock_; }

  // ---- with the lock held
  void push_back(detail::waiter* w) { queue_.push_back(w); }
  void push_front(detail::waiter* w) { queue_.push_front(w); }
  void remove(detail::waiter* w) { queue_.remove(w); }
  // Who waits longest for this object; null: nobody.
  detail::waiter* first(const void* object) const {
    detail::waiter* w = queue_.front();
    while (w && w->object != object) w = w->next;
    return w;
  }
  // Nobody waits here for another object.
  bool only(const void* object) const {
    for (detail::waiter* w = queue_.front(); w; w = w->next)
      if (w->object != object) return false;
    return true;
  }

  void call_attention() {
    auto& word = attention();
    if (word.load(std::memory_order_relaxed)) return;  // relaxed: lock
    word.store(1, std::memory_order_relaxed);          // PARK-ATTENTION
    base::real_atomics::heavy_fence();                 // PARK-ATTENTION
  }
  void set_attention(bool on) { attention().store(on, std::memory_order_relaxed); }  // relaxed: lock; the caller argues

 private:
  std::atomic<std::uint32_t>& attention();

  os::lock lock_{os::rank::object};
  base::list<detail::waiter> queue_;
};

extern parking_bucket parking_table[detail::parking_buckets];

inline parking_bucket& parking_bucket::of(const void* object) { return parking_table[detail::parking_bucket_of(object)]; }

inline std::atomic<std::uint32_t>& parking_bucket::attention() {
  return detail::parking_words[this - parking_table].attention;
}

}  // namespace rove::sync
