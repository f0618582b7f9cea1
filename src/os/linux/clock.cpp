// The steady clock and the CPU's own counter.
#include <time.h>

#include "src/os/os.hpp"

namespace rove::os {

nanoseconds now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);  // cannot fail with this clock and a good address
  return t.tv_sec * nanoseconds{1'000'000'000} + t.tv_nsec;
}

std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t count;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
#else
  return static_cast<std::uint64_t>(now());
#endif
}

}  // namespace rove::os
