// All notices of stacks and switches to AddressSanitizer and ThreadSanitizer. Empty in other builds.
//
// AddressSanitizer must know the bounds of the stack it is on, and keeps a "fake stack" per stack for use-after-return:
// start_switch before the switch (stores the fake stack of the stack that is left, or destroys it when given no place),
// finish_switch right after, on the other side. The first time on a new stack the other side is announced_first_frame.
// finish_switch also tells the bounds of the stack that was left: so a thread's own stack is known as soon as it was
// left once, which is before anything switches back to it. Writing them into the context that was left is safe: nobody
// else may touch it before its commit ran.
//
// ThreadSanitizer sees every stack as a thread of its own (a "fiber"), and is told right before the switch; what runs
// between the notice and the jump is not instrumented. The switch is announced as one that orders what went before on
// the left stack before what comes next on the entered one (flag 0). That is what the machine does, since both run on
// one thread, and the scheduler rests on it: a processor's own data is handed from goroutine to goroutine by nothing
// but that order, and a commit releases locks for the goroutine that was left, on the stack of the one that was
// entered. With __tsan_switch_to_fiber_no_sync all of that would be reported, although it cannot go wrong. What stays
// tested is every order between threads: a goroutine that moves, a waker on another thread, a thief. What is hidden: a
// race in user code between goroutines that happen to follow each other on one thread.
#include "src/arch/sanitizer.hpp"

#if ROVE_SANITIZED

#include "src/arch/switch.hpp"

#if ROVE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if ROVE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

// The functions around a switch run on two stacks, so they must have neither poisoned frames nor frames elsewhere.
// Their parts are inlined, since clang notes even so each function's entry and exit for ThreadSanitizer: entered on one
// stack and left on the other they must be the same function.
#define ROVE_NOT_INSTRUMENTED __attribute__((no_sanitize("address", "thread")))
#define ROVE_NOT_INSTRUMENTED_PART __attribute__((always_inline)) ROVE_NOT_INSTRUMENTED static inline

namespace rove::detail {

ROVE_NOT_INSTRUMENTED_PART void announce_leaving([[maybe_unused]] context* from, [[maybe_unused]] context* to) {
#if ROVE_ASAN
  sanitizer_state& s = from->sanitizer;
  __sanitizer_start_switch_fiber(s.leaving_for_good ? nullptr : &s.fake_stack, to->sanitizer.low, to->sanitizer.size);
  s.leaving_for_good = false;
#endif
#if ROVE_TSAN
  __tsan_switch_to_fiber(to->sanitizer.fiber, 0);
#endif
}

ROVE_NOT_INSTRUMENTED_PART void announce_arrival([[maybe_unused]] context* here, [[maybe_unused]] context* left,
                                                 [[maybe_unused]] bool first) {
#if ROVE_ASAN
  sanitizer_state& l = left->sanitizer;
  __sanitizer_finish_switch_fiber(first ? nullptr : here->sanitizer.fake_stack, &l.low, &l.size);
#endif
}

ROVE_NOT_INSTRUMENTED context* switch_stacks(context* from, context* to) {
  announce_leaving(from, to);
  context* const left = switch_registers(from, to);
  announce_arrival(from, left, false);
  return left;
}

}  // namespace rove::detail

namespace rove::arch {

#if ROVE_TSAN
// A goroutine's last function never returns, so ThreadSanitizer's own call stack of the fiber keeps some entries of
// each goroutine that used it. It has room for 65,536 and no check: the fiber is made anew long before.
constexpr unsigned most_fiber_uses = 1000;
#endif

ROVE_NOT_INSTRUMENTED void announced_first_frame(void* self, detail::context* left) {
  auto* const c = static_cast<detail::context*>(self);
  detail::announce_arrival(c, left, true);
  c->sanitizer.function(c->sanitizer.argument, left);
  __builtin_trap();
}

void sanitizer_attach(detail::context& c, [[maybe_unused]] const char* low, [[maybe_unused]] const char* top) {
  c.sanitizer.low = low;
  c.sanitizer.size = static_cast<std::size_t>(top - low);
#if ROVE_TSAN
  if (c.sanitizer.fiber != nullptr && ++c.sanitizer.fiber_uses % most_fiber_uses == 0) {
    __tsan_destroy_fiber(c.sanitizer.fiber);
    c.sanitizer.fiber = nullptr;
  }
  if (c.sanitizer.fiber == nullptr)
    c.sanitizer.fiber = __tsan_create_fiber(0);
#endif
}

void sanitizer_attach_thread(detail::context& c) {
  c.sanitizer = {};
#if ROVE_TSAN
  c.sanitizer.fiber = __tsan_get_current_fiber();
#endif
}

void sanitizer_detach(detail::context& c) {
#if ROVE_TSAN
  if (c.sanitizer.fiber != nullptr)
    __tsan_destroy_fiber(c.sanitizer.fiber);
#endif
  c.sanitizer = {};
}

void sanitizer_leaving_for_good(detail::context& c) { c.sanitizer.leaving_for_good = true; }

void sanitizer_stack_reused([[maybe_unused]] const char* low, [[maybe_unused]] const char* top) {
#if ROVE_ASAN
  __asan_unpoison_memory_region(low, static_cast<std::size_t>(top - low));
#endif
}

}  // namespace rove::arch

#endif
