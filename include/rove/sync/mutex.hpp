// A mutex for goroutines and plain threads.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <rove/detail/deadline.hpp>
#include <rove/detail/parking.hpp>
#include <rove/detail/waiter.hpp>

namespace rove {

// Lockable and TimedLockable: std::lock_guard, unique_lock and scoped_lock take it. Not recursive; belongs to no
// goroutine: another one may unlock it, as in Go (a library built with debug_checks takes that for a mistake: fatal).
// Nobody starves: who waited for a millisecond is handed the lock. The protocol is in src/sync/mutex.cpp.
class mutex {
 public:
  constexpr mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Parks while another holds it.
  ROVE_ALWAYS_INLINE void lock() {
    if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] return lock_watched();       // relaxed: a hint
    if (state_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]]                           // MUTEX-RELEASE
      lock_slow(detail::never_ns);
  }

  // Never parks.
  bool try_lock() {
    if (state_.load(std::memory_order_relaxed) != 0) return false;  // relaxed: the exchange decides
    if (state_.exchange(1, std::memory_order_acquire) != 0) return false;                          // MUTEX-RELEASE
    if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] note_owner();                 // relaxed: a hint
    return true;
  }

  // Parks while another holds it, but not for longer. True: it is locked.
  template <class Rep, class Period>
  bool try_lock_for(const std::chrono::duration<Rep, Period>& d) {
    return try_lock() || lock_until(detail::deadline_after(d));
  }
  template <class Clock, class Duration>
  bool try_lock_until(const std::chrono::time_point<Clock, Duration>& t) {
    return try_lock() || lock_until(detail::deadline_at(t));
  }

  // Never parks. Fatal if it is not locked: "sync: unlock of unlocked mutex".
  ROVE_ALWAYS_INLINE void unlock() {
    if (detail::ending.load(std::memory_order_relaxed) && unlock_watched()) [[unlikely]] return;  // relaxed: a hint
    if (state_.load(std::memory_order_relaxed) == 0) [[unlikely]] return unlock_unlocked();  // relaxed: the holder's own
    if (starving_.load(std::memory_order_relaxed)) [[unlikely]] return hand_over();          // relaxed: see mutex.cpp
    state_.store(0, std::memory_order_release);                                              // MUTEX-RELEASE
    if (detail::parking_attention(this)) [[unlikely]] wake_one(this);
  }

 private:
  friend struct mutex_waiter;
  bool lock_slow(std::int64_t limit);
  bool lock_until(std::int64_t limit);
  void lock_watched();                         // some runtime ends, or the library checks: looks closer
  bool unlock_watched();                       // true: this goroutine went on without the lock
  void note_owner();
  void hand_over();
  static void wake_one(const void* address);   // the mutex may be gone already
  static void unlock_unlocked();

  std::atomic<std::uint32_t> state_{0};        // 1: locked
  std::atomic<std::uint32_t> starving_{0};     // 1: the next unlock hands the lock to the first waiter
};

}  // namespace rove
