// A new stack's first frame, and the symbols of asm/<cpu>/switch.S that C++ needs. The switch itself is public, since
// it is inlined where goroutines park: include/rove/detail/switch.hpp.
#pragma once

#include <rove/detail/switch.hpp>

extern "C" {
// The outermost frame of every stack: from rove_entry to its ud2 or brk. A context that was never switched to has
// rove_entry_pc as its pc.
__attribute__((visibility("hidden"))) void rove_entry();
__attribute__((visibility("hidden"))) void rove_entry_pc();

// Calls function(argument) such that an unwinder started in it walks function, rove_unwind_from, and then the frames of
// the parked context up to rove_entry. Nobody may switch to *parked meanwhile; `function` must not throw. It runs on
// the caller's stack and returns to the caller.
__attribute__((visibility("hidden"))) void rove_unwind_from(const rove::detail::context* parked,
                                                            void (*function)(void*), void* argument);
}

namespace rove::arch {

// What runs first on a stack: its first duty is left->commit(left). It must not return; what it throws ends the
// program.
using first_function = void (*)(void* argument, detail::context* left);

#if ROVE_FP_ENV
// The calling thread's floating-point mode, as `context::fp_env` has it.
std::uint64_t current_fp_env();
#endif
#if ROVE_SANITIZED
[[noreturn]] void announced_first_frame(void* self, detail::context* left);  // src/arch/sanitizer.cpp
#endif

// Makes `c` such that a switch to it calls function(argument, the context that was left) on the stack below `top`.
// Writes nothing to the stack. With fp_env the goroutine starts with its creator's floating-point mode, as a thread
// does.
inline void make_first_frame(detail::context& c, void* top, first_function function, void* argument) {
#if ROVE_SANITIZED
  c.sanitizer.function = function;
  c.sanitizer.argument = argument;
  function = announced_first_frame;
  argument = &c;
#endif
  c.sp = top;
  c.pc = reinterpret_cast<void*>(&rove_entry_pc);
  c.fp = reinterpret_cast<void*>(function);
  c.base = argument;
#if ROVE_FP_ENV
  c.fp_env = current_fp_env();
#endif
}

}  // namespace rove::arch
