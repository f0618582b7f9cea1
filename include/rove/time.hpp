// Sleeping.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include <rove/run.hpp>

namespace rove {
namespace detail {

inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

void sleep_until_ns(std::int64_t when);  // of the steady clock

inline std::int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A duration in nanoseconds, rounded up; what does not fit means for ever, or at once.
template <class Rep, class Period>
constexpr std::int64_t to_ns(const std::chrono::duration<Rep, Period>& d) {
  using long_ns = std::chrono::duration<long double, std::nano>;
  const long double ns = std::chrono::duration_cast<long_ns>(d).count();
  if (!(ns > 0)) return 0;
  if (ns >= static_cast<long double>(never_ns)) return never_ns;
  if constexpr (std::chrono::treat_as_floating_point_v<Rep>)
    return static_cast<std::int64_t>(ns);
  else
    return static_cast<std::int64_t>(std::chrono::ceil<std::chrono::nanoseconds>(d).count());
}

// When `d` from now is, or never.
template <class Rep, class Period>
std::int64_t deadline_after(const std::chrono::duration<Rep, Period>& d) {
  const std::int64_t ns = to_ns(d), now = steady_ns();
  return ns > never_ns - now ? never_ns : now + ns;
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
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    detail::sleep_until_ns(detail::to_ns(t.time_since_epoch()));
  } else {
    using wide = std::chrono::duration<long double, std::nano>;  // cannot overflow
    sleep_for(wide(t.time_since_epoch()) - wide(Clock::now().time_since_epoch()));
  }
}

}  // namespace rove
