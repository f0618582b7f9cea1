// An event: a flag to wait for.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <rove/detail/deadline.hpp>
#include <rove/detail/waiter.hpp>

namespace rove {

// An auto-reset event lets one through each time it is set, and is unset by that; those who wait go in the order of
// their coming. A manual-reset event lets everybody through from set() until reset(). What was written before set() is
// seen by those whom it lets through. The protocol is in src/sync/event.cpp.
class alignas(8) event {
 public:
  // How many go on for each set: one, or all until reset().
  enum class mode : std::uint8_t { auto_reset, manual_reset };
  static constexpr mode auto_reset = mode::auto_reset;
  static constexpr mode manual_reset = mode::manual_reset;

  // Unset at first, unless `set`.
  constexpr explicit event(mode m = mode::auto_reset, bool set = false) noexcept
      : state_(set ? is_set : 0), mode_(m) {}
  event(const event&) = delete;
  event& operator=(const event&) = delete;

  // Lets one who waits go on, or all of them; nobody waits: it stays set. Setting it twice is setting it once. Never
  // parks.
  void set() {
    std::uint32_t s = state_.load(std::memory_order_relaxed);                       // relaxed: the exchange decides
    while (!(s & waited_for))
      if (state_.compare_exchange_weak(s, s | is_set, std::memory_order_acq_rel)) return;  // EVENT-SET
    set_slow();
  }

  // Those who come from now on wait. Never parks.
  void reset() noexcept { state_.fetch_and(~is_set, std::memory_order_acq_rel); }   // EVENT-SET

  // Parks until it is set.
  void wait() {
    if (detail::ending.load(std::memory_order_relaxed) || !try_wait()) wait_slow(detail::never_ns);  // relaxed: a hint
  }

  // Is it set? An auto-reset event is unset by that. Never parks.
  bool try_wait() noexcept {
    std::uint32_t s = state_.load(std::memory_order_acquire);                       // EVENT-SET
    if (mode_ == mode::manual_reset) return s & is_set;
    while (s & is_set)
      if (state_.compare_exchange_weak(s, s & ~is_set, std::memory_order_acquire)) return true;  // EVENT-SET
    return false;
  }

  // As wait(), but not for longer. True: it was set.
  template <class Rep, class Period>
  bool wait_for(const std::chrono::duration<Rep, Period>& d) {
    return wait_slow(detail::deadline_after(d));
  }
  template <class Clock, class Duration>
  bool wait_until(const std::chrono::time_point<Clock, Duration>& t) {
    return wait_slow(detail::deadline_at(t));
  }

 private:
  static constexpr std::uint32_t is_set = 1;
  static constexpr std::uint32_t waited_for = 2;   // perhaps somebody waits
  void set_slow();
  bool wait_slow(std::int64_t limit);

  std::atomic<std::uint32_t> state_;
  const mode mode_;
};

}  // namespace rove
