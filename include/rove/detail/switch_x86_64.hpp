// The inlined half of the switch for x86-64; asm/x86_64/switch.S has the other, with the table of registers.
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

namespace rove::detail {

// rbp and rbx are not in the list: the routine saves them (asm/x86_64/switch.S says why).
ROVE_ALWAYS_INLINE context* switch_registers(context* from, context* to) {
  asm volatile(
      "leaq 1f(%%rip), %%rdx\n\t"
      "jmp rove_switch\n"
      "1:\t" ROVE_LANDING_PAD
      : "+D"(from), "+S"(to)
      :
      : ROVE_CLOBBERS_BASE ROVE_CLOBBERS_AVX512 ROVE_CLOBBERS_APX);
  return from;
}

}  // namespace rove::detail

#undef ROVE_CLOBBERS_BASE
#undef ROVE_CLOBBERS_AVX512
#undef ROVE_CLOBBERS_APX
#undef ROVE_LANDING_PAD
