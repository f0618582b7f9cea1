// Synchronization: mutex, once, wait_group. Goroutines and plain threads may meet on each of them.
//
// Pairs. ONCE-DONE: release after f returned, acquire by later calls: they see what f did.
//
// Each may be destroyed as soon as the call that waited on it returned: who wakes a waiter touches nothing afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <rove/detail/parking.hpp>
#include <rove/detail/waiter.hpp>
#include <rove/go.hpp>

namespace rove {

// Lockable: std::lock_guard, unique_lock and scoped_lock take it. Not recursive; belongs to no goroutine: another one may
// unlock it, as in Go. Nobody starves: who waited for a millisecond is handed the lock. The protocol is in
// src/sync/mutex.cpp.
class mutex {
 public:
  constexpr mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Parks while another holds it.
  ROVE_ALWAYS_INLINE void lock() {
    if (detail::ending.load(std::memory_order_relaxed) && detail::end_check()) [[unlikely]]       // relaxed: a hint
      return lock_unwinding();
    if (state_.exchange(1, std::memory_order_acquire) != 0) [[unlikely]]                           // MUTEX-RELEASE
      lock_slow();
  }

  // Never parks.
  bool try_lock() {
    return state_.load(std::memory_order_relaxed) == 0 &&        // relaxed: the exchange decides
           state_.exchange(1, std::memory_order_acquire) == 0;   // MUTEX-RELEASE
  }

  // Never parks. Fatal if it is not locked: "sync: unlock of unlocked mutex".
  ROVE_ALWAYS_INLINE void unlock() {
    if (detail::ending.load(std::memory_order_relaxed) && unlock_unwinding()) [[unlikely]] return;  // relaxed: a hint
    if (state_.load(std::memory_order_relaxed) == 0) [[unlikely]] return unlock_unlocked();  // relaxed: the holder's own
    if (starving_.load(std::memory_order_relaxed)) [[unlikely]] return hand_over();          // relaxed: see mutex.cpp
    state_.store(0, std::memory_order_release);                                              // MUTEX-RELEASE
    if (detail::parking_attention(this)) [[unlikely]] wake_one(this);
  }

 private:
  friend struct mutex_waiter;
  void lock_slow();
  void lock_unwinding();                       // its runtime ends: takes the lock if it is free, goes on in any case
  bool unlock_unwinding();                     // true: this goroutine went on without the lock
  void hand_over();
  static void wake_one(const void* address);   // the mutex may be gone already
  static void unlock_unlocked();

  std::atomic<std::uint32_t> state_{0};        // 1: locked
  std::atomic<std::uint32_t> starving_{0};     // 1: the next unlock hands the lock to the first waiter
};

// Runs a function once. If it throws it was not run, and the next call tries again, as std::call_once.
class once {
 public:
  constexpr once() = default;
  once(const once&) = delete;
  once& operator=(const once&) = delete;

  // Returns when f has returned, in this call or another one. Parks while another runs it.
  template <class F>
  void call(F&& f) {
    if (done_.load(std::memory_order_acquire)) [[likely]] return;     // ONCE-DONE
    mutex_.lock();
    struct guard {
      mutex& m;
      ~guard() { m.unlock(); }
    } g{mutex_};
    if (done_.load(std::memory_order_relaxed)) return;                // relaxed: mutex_
    std::forward<F>(f)();
    done_.store(true, std::memory_order_release);                     // ONCE-DONE
  }

 private:
  std::atomic<bool> done_{false};
  mutex mutex_;
};

// Waits for a number of goroutines, or of anything that is counted.
class wait_group {
 public:
  constexpr wait_group() = default;
  wait_group(const wait_group&) = delete;
  wait_group& operator=(const wait_group&) = delete;

  // Adds to the counter; when it becomes zero all who wait go on. Panics "sync: negative WaitGroup counter".
  ROVE_ALWAYS_INLINE void add(std::int32_t n) {
    const std::uint64_t before =
        state_.fetch_add(static_cast<std::uint64_t>(static_cast<std::int64_t>(n)) << 32, std::memory_order_acq_rel);  // WG-COUNT
    const std::int64_t count = static_cast<std::int32_t>(before >> 32) + std::int64_t{n};
    if (count > 0 && count <= INT32_MAX) [[likely]] return;
    if (count == 0 && static_cast<std::uint32_t>(before) == 0) return;
    add_slow(n, count);
  }
  ROVE_ALWAYS_INLINE void done() { add(-1); }

  // Parks until the counter is zero.
  ROVE_ALWAYS_INLINE void wait() {
    if (detail::ending.load(std::memory_order_relaxed)) [[unlikely]] return wait_ending();  // relaxed: a hint
    if (state_.load(std::memory_order_acquire) >> 32 == 0) return;    // WG-COUNT
    detail::waiter w;
    const detail::departure d = wait_begin(w);
    if (d.to) detail::depart(d);
    if (w.result == detail::outcome::ended) [[unlikely]] wait_ended();
  }

  // add(1), and a goroutine that calls f and then done(), also if f is ended. Panics on a plain thread.
  template <class F>
    requires std::invocable<std::decay_t<F>>
  ROVE_ALWAYS_INLINE void go(F&& f) {
    struct counted {
      wait_group* wg;
      explicit counted(wait_group* g) : wg(g) { wg->add(1); }
      counted(counted&& other) noexcept : wg(std::exchange(other.wg, nullptr)) {}
      ~counted() {
        if (wg) wg->done();
      }
    };
    detail::start_goroutine({}, nullptr,
                            [c = counted(this), call = std::decay_t<F>(std::forward<F>(f))]() mutable {
                              static_cast<void>(std::move(call)());
                            });
  }

 private:
  void add_slow(std::int32_t n, std::int64_t count);
  detail::departure wait_begin(detail::waiter& w);
  void wait_ending();                          // some runtime ends: perhaps this goroutine's
  [[noreturn]] static void wait_ended();
  static bool unlink(detail::waiter* w, detail::outcome why);

  std::atomic<std::uint64_t> state_{0};        // the counter above, those who wait below
};

}  // namespace rove
