// Two stacks that switch to each other, for a debugger that steps through the switch: switch_gdb.py.
#include "test/arch/switch_checks.hpp"

#if defined(__clang__)
#define STANDS_ALONE [[gnu::noinline]]
#else
#define STANDS_ALONE [[gnu::noipa]]
#endif

using switch_checks::fiber;

STANDS_ALONE void fiber_inner(fiber& f) {
  volatile int kept = 1;
  for (int i = 0; i < 3; ++i)
    f.leave();
  kept = 2;
}

STANDS_ALONE const char* fiber_outer(fiber& f) {
  alignas(64) volatile char wide[64] = {};
  fiber_inner(f);
  return wide[0] == 0 ? nullptr : "a local was changed";
}

int main() {
  fiber f(fiber_outer);
  while (!f.ended)
    f.resume();
  return f.wrong != nullptr;
}
