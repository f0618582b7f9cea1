// A latch: counts down once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <rove/detail/waiter.hpp>

namespace rove {

// As std::latch. What was done before a count_down is seen by whoever waited. The protocol is in src/sync/latch.cpp.
class latch {
 public:
  // The largest count.
  static constexpr std::ptrdiff_t max() noexcept { return PTRDIFF_MAX / 2; }

  // Counts down from `expected`, which must not be negative; 0: nobody waits.
  constexpr explicit latch(std::ptrdiff_t expected) noexcept : state_(static_cast<std::uint64_t>(expected) << 1) {}
  latch(const latch&) = delete;
  latch& operator=(const latch&) = delete;

  // When the count becomes zero all who wait go on. Never parks. Panics if it would become negative, or n is
  // ("rove: latch counted below zero"); the count is then as before.
  void count_down(std::ptrdiff_t n = 1) {
    const std::uint64_t before = state_.fetch_sub(static_cast<std::uint64_t>(n) << 1, std::memory_order_acq_rel);  // LATCH-COUNT
    const auto count = static_cast<std::ptrdiff_t>(before >> 1);
    if (n >= 0 && (count > n || (count == n && !(before & waited_for)))) [[likely]] return;
    count_down_slow(n, count);
  }

  // Is the count zero? Never parks.
  bool try_wait() const noexcept { return state_.load(std::memory_order_acquire) >> 1 == 0; }  // LATCH-COUNT

  // Parks until the count is zero.
  void wait() const {
    if (detail::ending.load(std::memory_order_relaxed) || !try_wait()) wait_slow();  // relaxed: a hint
  }

  // Counts down, and parks until the count is zero. Panics as count_down does.
  void arrive_and_wait(std::ptrdiff_t n = 1) {
    count_down(n);
    wait();
  }

 private:
  static constexpr std::uint64_t waited_for = 1;
  void count_down_slow(std::ptrdiff_t n, std::ptrdiff_t count);
  void wait_slow() const;

  mutable std::atomic<std::uint64_t> state_;   // the count; below it whether somebody may wait
};

}  // namespace rove
