// Time: sleeping, timers, tickers, functions called later.
//
// All by the steady clock. As in Go since 1.23 a timer's channel has no buffer: after stop or reset returned, no tick
// of before is received, len() and cap() are 0, and a timer that nobody refers to any more costs nothing.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>

#include <rove/chan.hpp>
#include <rove/detail/action.hpp>
#include <rove/detail/deadline.hpp>
#include <rove/run.hpp>

namespace rove {

// Of the steady clock: what deadlines are told in, and what ticks carry.
using time_point = std::chrono::steady_clock::time_point;

// The time that sleeps, time limits and timers go by: std::chrono::steady_clock::now(), except in a deterministic run,
// which has a clock of its own (rove/test.hpp). Any thread, never parks.
inline time_point now() noexcept { return time_point(std::chrono::nanoseconds(detail::steady_ns())); }

namespace detail {

void sleep_until_ns(std::int64_t when);  // of the steady clock

// A timer's channel; `when` and `period` in nanoseconds, period 0: one tick.
chan_core* make_tick_chan(std::int64_t when, std::int64_t period);
bool set_tick(chan_core* c, std::int64_t when, std::int64_t period);  // true: its tick was not taken yet
void leave_tick(chan_core* c) noexcept;                               // its timer goes away, other handles may be left
std::int64_t check_period(std::int64_t ns, const char* message);

struct func_timer;
func_timer* make_func_timer(std::int64_t when, std::unique_ptr<action> f);  // panics on a plain thread
bool set_func_timer(func_timer* t, std::int64_t when);                      // true: the function was to be called
void release_func_timer(func_timer* t) noexcept;

inline chan_core* core_of(const recv_chan<time_point>& c) noexcept {
  return static_cast<chan_core*>(const_cast<void*>(c.identity()));
}

}  // namespace detail

// Parks the goroutine (blocks a plain thread) for at least `d`. Zero or less: yields. Too long to count: for ever.
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& d) {
  if (d <= d.zero()) return yield();
  detail::sleep_until_ns(detail::deadline_after(d));
}

// The same until a point of any clock; of a clock other than the steady one, by the time it shows now.
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& t) {
  detail::sleep_until_ns(detail::deadline_at(t));
}

// A channel on which the time comes once, `d` from now: what is received is the point of time at which it was due,
// however late it is received. Zero or less: at once. Any thread, never parks; throws std::bad_alloc.
template <class Rep, class Period>
[[nodiscard]] recv_chan<time_point> after(const std::chrono::duration<Rep, Period>& d) {
  return chan<time_point>(detail::make_tick_chan(detail::deadline_after(d), 0));
}

// One tick, or one call of a function (after_func), at a time that can be changed. Movable; any thread may call
// anything, several at once too, and nothing here parks. The destructor stops a tick, but not the call of a function.
class timer {
 public:
  timer() = default;                       // as in Go, stop and reset then panic

  // Its tick is due `d` from now.
  template <class Rep, class Period>
  explicit timer(const std::chrono::duration<Rep, Period>& d) : channel_(after(d)) {}
  // What after_func makes.
  explicit timer(detail::func_timer* adopted) noexcept : function_(adopted) {}

  timer(timer&& other) noexcept
      : channel_(std::move(other.channel_)), function_(std::exchange(other.function_, nullptr)) {}
  timer& operator=(timer&& other) noexcept {
    timer old(std::move(*this));
    channel_ = std::move(other.channel_);
    function_ = std::exchange(other.function_, nullptr);
    return *this;
  }
  ~timer() {
    if (channel_) detail::leave_tick(detail::core_of(channel_));
    if (function_) detail::release_func_timer(function_);
  }

  // Where the tick is received: its due time. A nil channel if it calls a function.
  const recv_chan<time_point>& c() const noexcept { return channel_; }

  // No tick comes any more. True: it was to come, or was there and nobody had taken it. With a function, true: it will
  // not be called; false: its goroutine was started, or it was stopped before. Panics "time: Stop called on
  // uninitialized Timer".
  bool stop() {
    if (channel_) return detail::set_tick(detail::core_of(channel_), detail::never_ns, 0);
    if (!function_) detail::throw_panic("time: Stop called on uninitialized Timer");
    return detail::set_func_timer(function_, detail::never_ns);
  }

  // The tick, or the call, is due `d` from now instead; gives what stop() would have given. Panics "time: Reset called
  // on uninitialized Timer".
  template <class Rep, class Period>
  bool reset(const std::chrono::duration<Rep, Period>& d) {
    const std::int64_t when = detail::deadline_after(d);
    if (channel_) return detail::set_tick(detail::core_of(channel_), when, 0);
    if (!function_) detail::throw_panic("time: Reset called on uninitialized Timer");
    return detail::set_func_timer(function_, when);
  }

 private:
  recv_chan<time_point> channel_;
  detail::func_timer* function_ = nullptr;
};

// Calls f() in a goroutine of its own, in this runtime, `d` from now; again after each reset. Dropping the timer does
// not stop it; the end of the runtime does. On a plain thread a panic ("rove: no runtime on this thread"). An exception
// that leaves f is a panic of the program. Throws std::bad_alloc.
template <class Rep, class Period, class F>
  requires std::invocable<std::decay_t<F>&>
ROVE_ALWAYS_INLINE timer after_func(const std::chrono::duration<Rep, Period>& d, F&& f) {
  return timer(detail::make_func_timer(detail::deadline_after(d), detail::make_action(std::forward<F>(f))));
}

// A tick every `d`; those that nobody receives in time are left out. Movable; any thread may call anything, nothing
// parks. The destructor stops it.
class ticker {
 public:
  ticker() = default;                      // as in Go, stop does nothing then, and reset panics

  // Panics "non-positive interval for NewTicker".
  template <class Rep, class Period>
  explicit ticker(const std::chrono::duration<Rep, Period>& d)
      : channel_(chan<time_point>(
            detail::make_tick_chan(first_tick(d, "non-positive interval for NewTicker"), detail::to_ns(d)))) {}

  ticker(ticker&&) noexcept = default;
  ticker& operator=(ticker&& other) noexcept {
    ticker old(std::move(*this));
    channel_ = std::move(other.channel_);
    return *this;
  }
  ~ticker() {
    if (channel_) detail::leave_tick(detail::core_of(channel_));
  }

  // Where the ticks are received: their due times.
  const recv_chan<time_point>& c() const noexcept { return channel_; }

  // No more ticks. The channel is not closed: who receives waits.
  void stop() {
    if (channel_) detail::set_tick(detail::core_of(channel_), detail::never_ns, 0);
  }

  // From now on every `d`. Panics "non-positive interval for Ticker.Reset", "time: Reset called on uninitialized
  // Ticker".
  template <class Rep, class Period>
  void reset(const std::chrono::duration<Rep, Period>& d) {
    const std::int64_t first = first_tick(d, "non-positive interval for Ticker.Reset");
    if (!channel_) detail::throw_panic("time: Reset called on uninitialized Ticker");
    detail::set_tick(detail::core_of(channel_), first, detail::to_ns(d));
  }

 private:
  template <class Duration>
  static std::int64_t first_tick(const Duration& d, const char* panic) {
    detail::check_period(detail::to_ns(d), panic);
    return detail::deadline_after(d);
  }
  recv_chan<time_point> channel_;
};

}  // namespace rove
