// Sleeping on a word and waking who sleeps there: futex(2).
//
// Private futexes: their key is the address alone, so a wake needs no mapping at it and may come after the word is
// gone.
#include <errno.h>
#include <linux/futex.h>
#include <limits.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rove/detail/config.hpp>

#include "src/os/os.hpp"

namespace rove::os {

int futex_wait(const std::uint32_t* word, std::uint32_t expected, nanoseconds deadline) {
  timespec until{};
  timespec* limit = nullptr;
  if (deadline != never) {
    if (deadline < 0) deadline = 0;  // the kernel calls a negative time malformed, not past
    until.tv_sec = static_cast<time_t>(deadline / 1'000'000'000);
    until.tv_nsec = static_cast<long>(deadline % 1'000'000'000);
    limit = &until;
  }
  // A lock may be waited for on a goroutine's stack, and in the commit of the one before: errno is the goroutine's.
  const int before = errno;
  // The bit-set form, since its time is a point of the steady clock: an early return does not stretch the wait.
  long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, limit, nullptr,
                        FUTEX_BITSET_MATCH_ANY);
  const bool late = result < 0 && errno == ETIMEDOUT;
#if ROVE_TSAN
  // ThreadSanitizer keeps a signal back until the thread next calls something that it knows. This call it does not.
  if (result < 0 && !late) usleep(0);
#endif
  errno = before;
  return late ? -ETIMEDOUT : 0;
}

int futex_wake(const std::uint32_t* word, int count) {
  long woken = syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, nullptr, nullptr, 0);
  return woken < 0 ? 0 : static_cast<int>(woken);
}

}  // namespace rove::os
