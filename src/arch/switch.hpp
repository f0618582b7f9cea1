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

// A floating-point mode: rounding, traps, what becomes of denormals (FTZ, DAZ). Nothing unless built with fp_env.
#if ROVE_FP_ENV
struct fp_mode {
  std::uint64_t word;                    // as `context::fp_env` has it
};
fp_mode current_fp_mode();               // of the calling thread
inline void set_fp_mode(detail::context& c, fp_mode m) { c.fp_env = m.word; }
#else
struct fp_mode {};
inline fp_mode current_fp_mode() { return {}; }
inline void set_fp_mode(detail::context&, fp_mode) {}
#endif
#if ROVE_SANITIZED
[[noreturn]] void announced_first_frame(void* self, detail::context* left);  // src/arch/sanitizer.cpp
#endif

// Makes `c` such that a switch to it calls function(argument, the context that was left) on the stack below `top`.
// Writes nothing to the stack. The floating-point mode is set apart, by whoever knows whose it is: a goroutine is made
// by one goroutine and started by another.
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
}

}  // namespace rove::arch
