// The switch for x86-64, inlined where a goroutine parks. asm/x86_64/switch.S has the table of registers and the same
// moves as a routine, for code that cannot carry them: with fp_env, or where the compiler writes no unwind tables.
// Inlined it costs half (1.0 against 1.9 ns where the floor is 0.8): one jump less, and each place that parks has its
// own indirect jump, which the processor predicts by itself.
#pragma once

// Where an indirect jump may land, if this code is compiled for a processor that checks (-fcf-protection=branch).
#if defined(__CET__) && (__CET__ & 1)
#define ROVE_LANDING_PAD "endbr64"
#else
#define ROVE_LANDING_PAD ""
#endif

#define ROVE_CLOBBERS_BASE                                                                                            \
  "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", \
      "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "st", "st(1)",   \
      "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "mm0", "mm1", "mm2", "mm3", "mm4", "mm5", "mm6", "mm7",  \
      "memory", "cc"

// gcc spills integers into mask registers, so these too.
#if defined(__AVX512F__)
#define ROVE_CLOBBERS_AVX512                                                                                       \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",    \
      "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define ROVE_CLOBBERS_AVX512
#endif

#if defined(__APX_F__)
#define ROVE_CLOBBERS_APX                                                                                           \
  , "r16", "r17", "r18", "r19", "r20", "r21", "r22", "r23", "r24", "r25", "r26", "r27", "r28", "r29", "r30", "r31"
#else
#define ROVE_CLOBBERS_APX
#endif

#ifndef ROVE_INLINE_SWITCH
#if defined(__GCC_HAVE_DWARF2_CFI_ASM) && !ROVE_FP_ENV
#define ROVE_INLINE_SWITCH 1
#else
#define ROVE_INLINE_SWITCH 0
#endif
#endif

#if ROVE_INLINE_SWITCH
// From the escapes on the "caller" is the frame in *rsi, for unwinders: frame address, rip, rbp and rbx are read there
// (asm/asm.h: CFI_CALLER_IN_CONTEXT). The offsets are those of asm/x86_64/frame.h.
#define ROVE_SWITCH_MOVES             \
  "movq %%rsp, 0(%%rdi)\n\t"          \
  "movq %%rdx, 8(%%rdi)\n\t"          \
  "movq %%rbp, 16(%%rdi)\n\t"         \
  "movq %%rbx, 24(%%rdi)\n\t"         \
  ".cfi_remember_state\n\t"           \
  ".cfi_escape 0x0f,3,0x74,0,0x06\n\t" \
  ".cfi_escape 0x10,16,2,0x74,8\n\t"  \
  ".cfi_escape 0x10,6,2,0x74,16\n\t"  \
  ".cfi_escape 0x10,3,2,0x74,24\n\t"  \
  "movq 8(%%rsi), %%rdx\n\t"          \
  "movq 16(%%rsi), %%rbp\n\t"         \
  "movq 24(%%rsi), %%rbx\n\t"         \
  "movq 0(%%rsi), %%rsp\n\t"          \
  "jmp *%%rdx\n\t"                    \
  ".cfi_restore_state\n\t"            \
  "nop\n"  /* unwinders look up the address before a resume address: it must be this frame again */
#else
#define ROVE_SWITCH_MOVES "jmp rove_switch\n"
#endif

namespace rove::detail {

// rbp and rbx are not in the list: they are saved by hand (asm/x86_64/switch.S says why).
ROVE_ALWAYS_INLINE context* switch_registers(context* from, context* to) {
  asm volatile(
      "leaq 1f(%%rip), %%rdx\n\t"
      ROVE_SWITCH_MOVES
      "1:\t" ROVE_LANDING_PAD
      : "+D"(from), "+S"(to)
      :
      : ROVE_CLOBBERS_BASE ROVE_CLOBBERS_AVX512 ROVE_CLOBBERS_APX);
  return from;
}

}  // namespace rove::detail

#undef ROVE_SWITCH_MOVES
#undef ROVE_CLOBBERS_BASE
#undef ROVE_CLOBBERS_AVX512
#undef ROVE_CLOBBERS_APX
#undef ROVE_LANDING_PAD
