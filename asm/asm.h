// Macros for assembly: symbols, unwind tables, landing pads, notes. Only macros, so that a routine's body is only
// moves.
//
// Needs frame.h of the CPU before it. Comments and macros go through the C preprocessor; `;` separates statements in
// the assemblers of both CPUs.
#ifndef ROVE_ASM_ASM_H
#define ROVE_ASM_ASM_H

// A routine in a section of its own (a program that does not use it can drop it), visible in this library alone: then
// `jmp name` needs no detour, whatever the code around it is compiled for.
.macro rove_begin name
  .section .text.\name,"ax",%progbits
  .p2align 6
  .globl \name
  .hidden \name
  .type \name,%function
\name:
  .cfi_startproc
.endm

.macro rove_end name
  .cfi_endproc
  .size \name,.-\name
.endm

// A second name inside a routine.
.macro rove_label name
  .globl \name
  .hidden \name
\name:
.endm

// Unwinding from here goes on in the stack that is saved in a rove::detail::context, whose address is in the register
// with DWARF operation `breg` (0x70 + its number): the frame address is the saved stack pointer, and the other three
// are read from the context. `pc`, `fp` and `base` are DWARF's numbers of those registers.
//   0x0f DW_CFA_def_cfa_expression, 0x10 DW_CFA_expression, 0x06 DW_OP_deref
#define CFI_CALLER_IN_CONTEXT(breg, pc, fp, base)        \
  .cfi_escape 0x0f, 3, breg, ROVE_CONTEXT_SP, 0x06;      \
  .cfi_escape 0x10, pc, 2, breg, ROVE_CONTEXT_PC;        \
  .cfi_escape 0x10, fp, 2, breg, ROVE_CONTEXT_FP;        \
  .cfi_escape 0x10, base, 2, breg, ROVE_CONTEXT_BASE

// What an indirect jump or call may land on; no operation on a processor that does not check.
#if defined(__x86_64__)
#define LANDING_PAD endbr64
#define LANDING_PAD_CALL endbr64
#elif defined(__aarch64__)
#define LANDING_PAD hint 36           /* bti j */
#define LANDING_PAD_CALL hint 34      /* bti c */
#endif

// At the end of a file: the property note (what landing pads can be relied on) and "no executable stack".
// x86-64: IBT (1), and on purpose not SHSTK (2): the linker drops the shadow stack of a program when one object lacks
// the mark, and a switch by `jmp` does not carry shadow stacks along. AArch64: BTI (1) and PAC (2).
#if defined(__x86_64__)
#define ROVE_PROPERTY_TYPE 0xc0000002
#define ROVE_PROPERTY_BITS 1
#elif defined(__aarch64__)
#define ROVE_PROPERTY_TYPE 0xc0000000
#define ROVE_PROPERTY_BITS 3
#endif

.macro rove_notes
  .section .note.gnu.property,"a",%note
  .p2align 3
  .long 4, 16, 5                      // sizes of name and content, NT_GNU_PROPERTY_TYPE_0
  .asciz "GNU"
  .long ROVE_PROPERTY_TYPE, 4, ROVE_PROPERTY_BITS, 0
  .section .note.GNU-stack,"",%progbits
.endm

#endif
