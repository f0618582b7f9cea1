// The library's own lock: one word, one exchange to take it, one plain store to give it back.
//
// Problem. Every channel operation takes a lock; a locked instruction is the dearest thing on that path, so unlocking
// must not be a second one. And the word may be freed as soon as it was given back (a waiter destroys what it waited
// on), so whoever unlocks must not look at it again.
//
// Invariant. A thread sleeps on the word only while (a) the word was 1 after the thread had announced itself in the
// table of sleepers and every CPU had passed a barrier since. So a thread that unlocks and sees no sleeper has made its
// 0 visible to the sleeper's next look at the word.
//
// Steps.  lock:   1 exchange 1; it was 0: done.  2 spin a while.  3 announce in sleepers[hash(address)], heavy fence.
//                 4 exchange 1; it was 0: withdraw the announcement, done.  5 futex wait while it is 1, go to 4.
//         unlock: 1 store 0 (LOCK-RELEASE).  2 light fence, load sleepers[hash(address)] (LOCK-SLEEPERS).
//                 3 not zero: futex wake one on this address.
// The table is static memory; two locks that share an entry cost each other a needless futex wake, and a wake that
// arrives at an address whose lock is gone finds nobody or somebody who looks again.
//
// Rejected: a second exchange in unlock (Drepper's mutex: +4 to 7 ns on each channel operation); a "contended" value
// in the word (the fast exchange would wipe it out); spinning only (a preempted owner would cost a whole time slice).
//
// Pairs. LOCK-RELEASE: the store of 0 with every exchange that reads it: what the owner wrote is seen by the next one.
//        LOCK-SLEEPERS: announcement + heavy fence against store 0 + light fence + load: one of the two sees the other.
#pragma once

#include <cstdint>
#include <iterator>
#include <type_traits>

#include "src/base/atomic.hpp"
#include "src/os/lock_rank.hpp"
#include "src/os/os.hpp"

namespace rove::os {

// What a lock needs besides atomics: sleep, wake, and the table. The model checker brings its own.
struct real_threads : base::real_atomics {
  static constexpr int spins = 60;  // a few microseconds at most: an owner that runs is done by then

  static void wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
    futex_wait(reinterpret_cast<std::uint32_t*>(&word), expected);
  }
  static void wake_one(std::atomic<std::uint32_t>& word) { futex_wake(reinterpret_cast<std::uint32_t*>(&word), 1); }

  static std::atomic<std::uint32_t>& sleepers(const void* address);
};

// The table of sleepers, by a hash of the lock's address.
struct alignas(64) lock_sleepers {
  std::atomic<std::uint32_t> count{0};
};
inline constinit lock_sleepers table_of_sleepers[64];

inline std::atomic<std::uint32_t>& real_threads::sleepers(const void* address) {
  return table_of_sleepers[(reinterpret_cast<std::uintptr_t>(address) >> 4) % std::size(table_of_sleepers)].count;
}

template <class P>
class basic_lock {
 public:
  constexpr basic_lock() = default;
  constexpr explicit basic_lock(rank) {}  // of use to checked_lock only
  basic_lock(const basic_lock&) = delete;
  basic_lock& operator=(const basic_lock&) = delete;

  void lock() {
    if (state_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]]  // LOCK-RELEASE
      lock_slow();
  }

  bool try_lock() {
    return state_.load(std::memory_order_relaxed) == 0 &&                 // relaxed: a hint, the exchange decides
           state_.exchange(1, std::memory_order_acquire) == 0;            // LOCK-RELEASE
  }

  void unlock() {
    state_.store(0, std::memory_order_release);                           // LOCK-RELEASE
    P::light_fence();                                                     // LOCK-SLEEPERS
    if (P::sleepers(this).load(std::memory_order_relaxed) != 0) [[unlikely]]  // LOCK-SLEEPERS
      P::wake_one(state_);
  }

 private:
  [[gnu::noinline]] void lock_slow() {
    for (int i = 0; i < P::spins; ++i) {
      P::pause();
      if (try_lock()) return;
    }
    auto& sleepers = P::sleepers(this);
    sleepers.fetch_add(1, std::memory_order_relaxed);                     // LOCK-SLEEPERS
    P::heavy_fence();                                                     // LOCK-SLEEPERS
    while (state_.exchange(1, std::memory_order_acquire) != 0)            // LOCK-RELEASE
      P::wait(state_, 1);
    sleepers.fetch_sub(1, std::memory_order_relaxed);                     // relaxed: only fewer needless wakes
  }

  typename P::template atomic<std::uint32_t> state_{0};
};

using plain_lock = basic_lock<real_threads>;
static_assert(sizeof(plain_lock) == 4);

// What the library takes: each is made with its rank.
using lock = std::conditional_t<debug_checks, checked_lock<plain_lock>, plain_lock>;

// Held for a scope.
template <class Lock>
class hold {
 public:
  explicit hold(Lock& lock) : lock_(lock) { lock_.lock(); }
  ~hold() { lock_.unlock(); }
  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;

 private:
  Lock& lock_;
};

}  // namespace rove::os
