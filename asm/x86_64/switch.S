// The switch for x86-64 (System V ABI 1.0, sections 3.2.1 and 3.2.2): leave a stack, enter a stack, walk a parked one.
//
// | register        | at a switch                                                                              |
// | --------------- | ---------------------------------------------------------------------------------------- |
// | rdi             | in: the context to leave; out: the same, so the other side learns who was left           |
// | rsi             | in: the context to enter                                                                 |
// | rdx             | in: where to go on when switched back to; then scratch: where the other side goes on     |
// | rsp             | saved and loaded                                                                         |
// | rbp, rbx        | saved and loaded: a compiler may keep its frame and base pointer there in spite of a     |
// |                 | clobber list (gcc refuses rbp in one; clang uses rbx with alloca and ignores the clobber) |
// | rax rcx r8-r15  | lost: the clobber list of switch_registers names them, the compiler keeps what is alive  |
// | xmm, ymm, zmm,  | lost, likewise                                                                           |
// | k0-k7, st, mm   |                                                                                          |
// | MXCSR, x87 CW   | the thread's (as in Go); with fp_env saved and loaded                                    |
// | DF              | clear, as at any call                                                                    |
//
// Entered by `jmp`, left by `jmp`: no return address is pushed, so what a leaf function keeps below its stack pointer
// is safe, and the processor's predictor of return addresses stays in step.

#include "asm/x86_64/frame.h"
#include "asm/asm.h"

#define RBX 3
#define RBP 6
#define RIP 16
#define AT_RSI 0x74
#define AT_RBX 0x73

rove_begin rove_switch
  .cfi_def_cfa %rsp, 0                // the "caller" runs at rdx with this very rsp
  .cfi_register %rip, %rdx
  mov %rsp, ROVE_CONTEXT_SP(%rdi)
  mov %rdx, ROVE_CONTEXT_PC(%rdi)
  mov %rbp, ROVE_CONTEXT_FP(%rdi)
  mov %rbx, ROVE_CONTEXT_BASE(%rdi)
#if ROVE_FP_ENV
  stmxcsr ROVE_CONTEXT_FP_ENV(%rdi)
  fnstcw ROVE_CONTEXT_FP_ENV+4(%rdi)
#endif
  CFI_CALLER_IN_CONTEXT(AT_RSI, RIP, RBP, RBX)
#if ROVE_FP_ENV
  ldmxcsr ROVE_CONTEXT_FP_ENV(%rsi)
  fldcw ROVE_CONTEXT_FP_ENV+4(%rsi)
#endif
  mov ROVE_CONTEXT_PC(%rsi), %rdx
  mov ROVE_CONTEXT_FP(%rsi), %rbp
  mov ROVE_CONTEXT_BASE(%rsi), %rbx
  mov ROVE_CONTEXT_SP(%rsi), %rsp
  jmp *%rdx
rove_end rove_switch

// The outermost frame. A context made by make_first_frame starts at rove_entry_pc, with the function in rbp and its
// argument in rbx; the function gets the argument and the context that was left, and must not return.
// The return address is undefined: there debuggers, backtrace() and the C++ unwinder stop. The nop before the start is
// for unwinders that look up the address before: it belongs to this frame too, so a context not yet started unwinds.
// The function is entered by `jmp`, since a `call` without its return would put the predictor of returns out of step.
rove_begin rove_entry
  .cfi_def_cfa %rsp, 0
  .cfi_undefined %rip
  nop
rove_label rove_entry_pc
  LANDING_PAD
  mov %rbp, %rax
  mov %rdi, %rsi                      // second argument: the context that was left
  mov %rbx, %rdi                      // first argument
  xor %ebp, %ebp                      // the end of the chain of frame pointers (ABI 3.4.1)
  and $-16, %rsp                      // ABI 3.2.2: 16-byte alignment before the return address
  lea 1f(%rip), %rdx
  push %rdx
  jmp *%rax
1:
  ud2
rove_end rove_entry

// void rove_unwind_from(const context* parked, void (*function)(void*), void* argument)
// Calls function(argument) on the caller's stack, but tells unwinders that the caller is the frame saved in *parked:
// who walks the stack inside `function` sees the parked frames up to rove_entry. `function` must not throw, and nobody
// may resume *parked meanwhile. Of the parked frame's saved registers only rbp and rbx are known.
rove_begin rove_unwind_from
  LANDING_PAD_CALL
  push %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  mov %rdi, %rbx
  .cfi_remember_state
  CFI_CALLER_IN_CONTEXT(AT_RBX, RIP, RBP, RBX)
  mov %rdx, %rdi
  call *%rsi
  .cfi_restore_state
  pop %rbx
  .cfi_adjust_cfa_offset -8
  .cfi_restore %rbx
  ret
rove_end rove_unwind_from

rove_notes
