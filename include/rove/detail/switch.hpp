// The switch: leave this stack, go on with another one.
//
// A compiler is told that the switch destroys every register, so that it spills just what is alive there; the routine
// in asm/<cpu>/switch.S then moves the stack pointer and the program counter, and the two registers that a compiler
// may reserve behind the clobber list's back. It is inlined where a goroutine parks: neither a call nor a return
// happens, so the predictor of return addresses stays right. `switch_stacks` returns on the other side, with the
// context that was left to get there: whoever arrives runs its commit, the part of parking that must not happen
// before the stack was left (src/sched/park.hpp).
#pragma once

#include <rove/detail/config.hpp>

#include <cstddef>
#include <cstdint>

namespace rove::detail {

struct context;

#if ROVE_SANITIZED
// What a sanitizer has to be told about a stack; src/arch/sanitizer.hpp fills it in. It belongs to the stack, and stays
// when another goroutine gets it.
struct sanitizer_state {
  void* fiber = nullptr;            // ThreadSanitizer's
  unsigned fiber_uses = 0;          // goroutines that ran on it
  void* fake_stack = nullptr;       // AddressSanitizer's, while nobody runs on the stack
  const void* low = nullptr;        // the stack's bounds
  std::size_t size = 0;
  bool leaving_for_good = false;    // the next switch away is the last
  void (*function)(void*, context*) = nullptr;  // what a new stack starts with
  void* argument = nullptr;
};
#endif

// What a stack that nobody runs on needs to go on. Known to asm/<cpu>/frame.h, to the debugger and to the unwinder.
struct context {
  void* sp = nullptr;
  void* pc = nullptr;
  void* fp = nullptr;                    // rbp, x29
  void* base = nullptr;                  // rbx, x19: the compilers' base pointer for over-aligned frames
  void (*commit)(context*) = nullptr;    // run on the next stack, once this one was left; never null at a switch
#if ROVE_FP_ENV
  std::uint64_t fp_env = 0;              // MXCSR and, in the upper half, the x87 control word; FPCR
#endif
#if ROVE_SANITIZED
  sanitizer_state sanitizer;
#endif
};

// Where a parking operation goes: from this goroutine to that. `to` is null when there is nothing to wait for.
struct departure {
  context* from;
  context* to;
};

}  // namespace rove::detail

#if defined(__x86_64__)
#include <rove/detail/switch_x86_64.hpp>
#elif defined(__aarch64__)
#include <rove/detail/switch_aarch64.hpp>
#else
#error "rove: no port for this CPU; see docs/HACKING.md"
#endif

namespace rove::detail {

#if ROVE_SANITIZED
context* switch_stacks(context* from, context* to);  // src/arch/sanitizer.cpp
#else
ROVE_ALWAYS_INLINE context* switch_stacks(context* from, context* to) { return switch_registers(from, to); }
#endif

// Go where `d` says and, on return, finish the departure of whoever came here.
ROVE_ALWAYS_INLINE void depart(departure d) {
  context* const left = switch_stacks(d.from, d.to);
  left->commit(left);
}

}  // namespace rove::detail
