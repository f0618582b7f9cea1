// A weighted semaphore.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <system_error>

#include <rove/detail/waiter.hpp>

namespace rove::base {
template <class T>
class list;
}

namespace rove {

class context;

// n units that many share. First come, first served: who waits for much is not overtaken by those who want little.
// Weights and the size are at most PTRDIFF_MAX / 2 and not negative (panic "rove: negative semaphore weight"). The
// protocol is in src/sync/semaphore.cpp.
class semaphore {
 public:
  // All n are free.
  explicit semaphore(std::ptrdiff_t n) : state_(n * unit), size_(n) {
    if (n < 0) negative();
  }
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Parks until n units are free and nobody waits before. More than there are in all: for ever, without being in
  // others' way. A goroutine that its runtime's end unwinds does not wait: it goes on without what is not free, and its
  // release then gives nothing back.
  void acquire(std::ptrdiff_t n = 1) {
    if (detail::ending.load(std::memory_order_relaxed) || !try_acquire(n)) acquire_slow(n);  // relaxed: a hint
  }

  // The same until ctx is cancelled: then its error, and nothing was taken. One that is cancelled already takes
  // nothing.
  std::error_code acquire(const context& ctx, std::ptrdiff_t n = 1);

  // Never parks. False: they are not free, or others wait.
  bool try_acquire(std::ptrdiff_t n = 1) {
    if (n < 0) negative();
    std::int64_t s = state_.load(std::memory_order_relaxed);                        // relaxed: the exchange decides
    while (!(s & waited_for) && s / unit >= n)
      if (state_.compare_exchange_weak(s, s - n * unit, std::memory_order_acquire)) return true;  // SEM-FREE
    return false;
  }

  // Gives n units back. Never parks. Panics "semaphore: released more than held"; then nothing was given back.
  void release(std::ptrdiff_t n = 1) {
    if (n < 0) negative();
    if (detail::ending.load(std::memory_order_relaxed) && (n = true_units(n)) == 0) [[unlikely]] return;  // relaxed: a hint
    std::int64_t s = state_.load(std::memory_order_relaxed);                        // relaxed: the exchange decides
    while (!(s & waited_for)) {
      if (n > size_ - s / unit) return surplus(n);
      if (state_.compare_exchange_weak(s, s + n * unit, std::memory_order_release)) return;  // SEM-FREE
    }
    release_slow(n);
  }

 private:
  static constexpr std::int64_t waited_for = 1;   // perhaps somebody waits
  static constexpr std::int64_t unit = 2;
  void acquire_slow(std::ptrdiff_t n);
  void release_slow(std::ptrdiff_t n);
  void surplus(std::ptrdiff_t n);
  std::ptrdiff_t true_units(std::ptrdiff_t n, bool anybody = false) const;  // without those it went on without
  bool take_locked(std::ptrdiff_t n);
  void grant();                                // to those for whom there is enough now
  void grant_locked(base::list<detail::waiter>& granted);
  [[noreturn]] static void negative();
  [[noreturn]] static void too_much();

  std::atomic<std::int64_t> state_;            // what is free, times `unit`; waited_for
  const std::ptrdiff_t size_;
};

}  // namespace rove
