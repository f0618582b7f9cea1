// Durations and points of time as the library counts them: nanoseconds of the steady clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace rove::detail {

inline constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

// The clock that the library goes by: the steady clock, or the virtual one in a deterministic run (rove::test).
std::int64_t steady_ns();

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

// When `d` from now is, or never. 0 for what is not positive: past, without a look at the clock.
template <class Rep, class Period>
std::int64_t deadline_after(const std::chrono::duration<Rep, Period>& d) {
  const std::int64_t ns = to_ns(d);
  if (ns == 0 || ns == never_ns) return ns;
  const std::int64_t now = steady_ns();
  return ns > never_ns - now ? never_ns : now + ns;
}

// The same for a point of any clock; of one other than the steady clock, by the time it shows now.
template <class Clock, class Duration>
std::int64_t deadline_at(const std::chrono::time_point<Clock, Duration>& t) {
  if constexpr (std::is_same_v<Clock, std::chrono::steady_clock>) {
    return to_ns(t.time_since_epoch());
  } else {
    using wide = std::chrono::duration<long double, std::nano>;  // cannot overflow
    return deadline_after(wide(t.time_since_epoch()) - wide(Clock::now().time_since_epoch()));
  }
}

}  // namespace rove::detail
