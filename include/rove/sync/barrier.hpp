// A barrier: many meet, again and again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <rove/detail/waiter.hpp>

namespace rove {
namespace detail {

// The barrier without its function. The protocol is in src/sync/barrier.cpp.
class barrier_core {
 public:
  constexpr explicit barrier_core(std::uint32_t expected) noexcept : state_(expected), expected_(expected) {}

  // Counts n arrivals; true: they were the last, and `next_phase` is to be called. `phase` becomes the one that they
  // belong to. `dropped` were noted by drop_one.
  bool arrive(std::ptrdiff_t n, std::uint32_t& phase, std::uint32_t dropped = 0) {
    std::uint64_t s = state_.load(std::memory_order_relaxed);                        // relaxed: the exchange decides
    do {
      if (n <= 0 || static_cast<std::uint64_t>(n) > static_cast<std::uint32_t>(s)) [[unlikely]] too_many(dropped);
    } while (!state_.compare_exchange_weak(s, s - static_cast<std::uint64_t>(n), std::memory_order_acq_rel));  // BARRIER-PHASE
    phase = static_cast<std::uint32_t>(s >> 32);
    return static_cast<std::uint64_t>(n) == static_cast<std::uint32_t>(s);
  }
  void drop_one() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }     // relaxed: the arrival orders it
  void next_phase();
  void wait(std::uint32_t phase) const {
    if (ending.load(std::memory_order_relaxed) || this->phase() == phase) wait_slow(phase);  // relaxed: a hint
  }

 private:
  std::uint32_t phase() const noexcept {
    return static_cast<std::uint32_t>(state_.load(std::memory_order_acquire) >> 32);  // BARRIER-PHASE
  }
  [[noreturn]] void too_many(std::uint32_t dropped);
  void wait_slow(std::uint32_t phase) const;

  std::atomic<std::uint64_t> state_;           // the phase; below it how many are missing
  std::uint32_t expected_;                     // in each phase; the last to arrive alone changes it
  std::atomic<std::uint32_t> dropped_{0};      // fewer from the next phase on
};

struct empty_completion {
  void operator()() noexcept {}
};

}  // namespace detail

// As std::barrier. The completion function must not throw; the last who arrives runs it before the others go on.
template <class CompletionFunction = detail::empty_completion>
class barrier {
  static_assert(std::is_nothrow_invocable_v<CompletionFunction&>, "as in std::barrier: the function is noexcept");

 public:
  // Says in which phase somebody arrived: to be given to wait().
  class arrival_token {
   public:
    arrival_token(arrival_token&&) = default;
    arrival_token& operator=(arrival_token&&) = default;

   private:
    friend class barrier;
    explicit arrival_token(std::uint32_t phase) : phase_(phase) {}
    std::uint32_t phase_;
  };

  // The most that can be expected.
  static constexpr std::ptrdiff_t max() noexcept { return INT32_MAX; }

  // As many are expected in each phase.
  constexpr explicit barrier(std::ptrdiff_t expected, CompletionFunction f = CompletionFunction())
      : core_(static_cast<std::uint32_t>(expected)), completion_(std::move(f)) {}
  barrier(const barrier&) = delete;
  barrier& operator=(const barrier&) = delete;

  // Never parks. Panics if n is not positive or more arrive than are expected ("rove: barrier: more arrived than
  // expected").
  [[nodiscard]] arrival_token arrive(std::ptrdiff_t n = 1) {
    return arrive_and_note(n, 0);
  }

  // Parks until the phase of the token is over.
  void wait(arrival_token&& token) const { core_.wait(token.phase_); }

  // Arrives, and parks until all expected have. Panics as arrive does.
  void arrive_and_wait() { wait(arrive()); }

  // Arrives, and is not expected any more from the next phase on. Never parks.
  void arrive_and_drop() {
    core_.drop_one();
    static_cast<void>(arrive_and_note(1, 1));
  }

 private:
  arrival_token arrive_and_note(std::ptrdiff_t n, std::uint32_t dropped) {
    std::uint32_t phase = 0;
    if (core_.arrive(n, phase, dropped)) {
      completion_();
      core_.next_phase();
    }
    return arrival_token(phase);
  }

  detail::barrier_core core_;
  [[no_unique_address]] CompletionFunction completion_;
};

}  // namespace rove
