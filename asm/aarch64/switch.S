// The switch for AArch64 (AAPCS64, section 6.1): leave a stack, enter a stack, walk a parked one.
//
// | register        | at a switch                                                                             |
// | --------------- | --------------------------------------------------------------------------------------- |
// | x0              | in: the context to leave; out: the same, so the other side learns who was left          |
// | x1              | in: the context to enter                                                                |
// | x2              | in: where to go on when switched back to; then scratch: where the other side goes on    |
// | x3              | scratch, since sp cannot be stored or loaded itself                                     |
// | sp              | saved and loaded                                                                        |
// | x29, x19        | saved and loaded: a compiler may keep its frame and base pointer there in spite of a    |
// |                 | clobber list                                                                            |
// | x4-x18 x20-x28  | lost: the clobber list of switch_registers names them, the compiler keeps what is alive |
// | x30             |                                                                                         |
// | v0-v31, z, p    | lost, likewise (d8-d15 too: the function around the switch saves them, once)            |
// | FPCR            | the thread's (as in Go); with fp_env saved and loaded                                   |
//
// Entered by `b`, left by `br`: no return, so the processor's predictor of return addresses stays in step. Addresses
// signed with the stack pointer (PAC) are valid after a switch: a frame goes on at the stack pointer it stopped at.

#include "asm/aarch64/frame.h"
#include "asm/asm.h"

#define X19 19
#define X29 29
#define X30 30
#define AT_X1 0x71
#define AT_X19 0x83

rove_begin rove_switch
  .cfi_def_cfa sp, 0                  // the "caller" runs at x2 with this very sp
  .cfi_register x30, x2
  mov x3, sp
  stp x3, x2, [x0, #ROVE_CONTEXT_SP]
  stp x29, x19, [x0, #ROVE_CONTEXT_FP]
#if ROVE_FP_ENV
  mrs x3, fpcr
  str x3, [x0, #ROVE_CONTEXT_FP_ENV]
#endif
  CFI_CALLER_IN_CONTEXT(AT_X1, X30, X29, X19)
#if ROVE_FP_ENV
  ldr x3, [x1, #ROVE_CONTEXT_FP_ENV]
  msr fpcr, x3
#endif
  ldp x3, x2, [x1, #ROVE_CONTEXT_SP]
  ldp x29, x19, [x1, #ROVE_CONTEXT_FP]
  mov sp, x3
  br x2
rove_end rove_switch

// The outermost frame. A context made by make_first_frame starts at rove_entry_pc, with the function in x29 and its
// argument in x19; the function gets the argument and the context that was left, and must not return.
// The return address is undefined: there debuggers, backtrace() and the C++ unwinder stop. The nop before the start is
// for unwinders that look up the address before: it belongs to this frame too, so a context not yet started unwinds.
// The function is entered by `br x16`, which may land on `bti c` as a call may, but predicts no return.
rove_begin rove_entry
  .cfi_def_cfa sp, 0
  .cfi_undefined x30
  nop
rove_label rove_entry_pc
  LANDING_PAD
  mov x16, x29
  mov x1, x0                          // second argument: the context that was left
  mov x0, x19                         // first argument
  mov x29, xzr                        // the end of the chain of frame records (AAPCS64 6.2.3)
  mov x3, sp
  and x3, x3, #-16                    // AAPCS64 6.2.2
  mov sp, x3
  adr x30, 1f
  br x16
1:
  brk #1
rove_end rove_entry

// void rove_unwind_from(const context* parked, void (*function)(void*), void* argument)
// Calls function(argument) on the caller's stack, but tells unwinders that the caller is the frame saved in *parked:
// who walks the stack inside `function` sees the parked frames up to rove_entry. `function` must not throw, and nobody
// may resume *parked meanwhile. Of the parked frame's saved registers only x29 and x19 are known.
rove_begin rove_unwind_from
  LANDING_PAD_CALL
  stp x29, x30, [sp, #-32]!
  .cfi_adjust_cfa_offset 32
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  str x19, [sp, #16]
  .cfi_rel_offset x19, 16
  mov x29, sp
  mov x19, x0
  .cfi_remember_state
  CFI_CALLER_IN_CONTEXT(AT_X19, X30, X29, X19)
  mov x0, x2
  blr x1
  .cfi_restore_state
  ldr x19, [sp, #16]
  .cfi_restore x19
  ldp x29, x30, [sp], #32
  .cfi_adjust_cfa_offset -32
  .cfi_restore x29
  .cfi_restore x30
  ret
rove_end rove_unwind_from

rove_notes
