// Waiting for a number of goroutines.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include <rove/detail/waiter.hpp>
#include <rove/go.hpp>

namespace rove {

class error_group;

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
    detail::start_goroutine(nullptr, nullptr,
                            [c = counted(this), call = std::decay_t<F>(std::forward<F>(f))]() mutable {
                              static_cast<void>(std::move(call)());
                            });
  }

 private:
  friend class error_group;
  bool is_zero() const noexcept { return state_.load(std::memory_order_acquire) >> 32 == 0; }  // WG-COUNT
  void add_slow(std::int32_t n, std::int64_t count);
  detail::departure wait_begin(detail::waiter& w);
  void wait_ending();                          // some runtime ends: perhaps this goroutine's
  static void wait_ended();                    // returns only in a goroutine that is being unwound already
  static bool unlink(detail::waiter* w, detail::outcome why);

  static constexpr std::uint64_t waited_for = 1;
  std::atomic<std::uint64_t> state_{0};        // the counter in the upper half; below, whether somebody may wait
};

}  // namespace rove
