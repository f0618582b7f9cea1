// Making system calls where a goroutine may go on on another thread.
#pragma once

#include <errno.h>

namespace rove::os {

// The calling thread's errno. Compilers keep the address of errno, whose function is declared `const`, and a function
// that is inlined into one that parks would look at its former thread's. So it is asked for in a function of its own,
// about which nothing can be deduced.
[[gnu::noinline]] inline int last_error() {
  asm volatile("");
  return errno;
}

// The call's result, or -errno; again as long as a signal comes in between.
template <class Call>
auto repeated(Call call) -> decltype(call()) {
  for (;;) {
    const auto n = call();
    if (n >= 0) return n;
    const int e = last_error();
    if (e != EINTR) return -e;
  }
}

// The same for a call that must not be made again.
template <class Call>
int once(Call call) {
  const auto n = call();
  return n < 0 ? -last_error() : static_cast<int>(n);
}

}  // namespace rove::os
