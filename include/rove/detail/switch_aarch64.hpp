// The switch for AArch64, inlined where a goroutine parks. asm/aarch64/switch.S has the table of registers and the same
// moves as a routine, for code that cannot carry them: with fp_env, or where the compiler writes no unwind tables.
#pragma once

// Where an indirect jump may land, if this code is compiled for a processor that checks (-mbranch-protection).
// hint 36 is `bti j`, by its number because older assemblers know the name only from ARMv8.5 on.
#if defined(__ARM_FEATURE_BTI_DEFAULT)
#define ROVE_LANDING_PAD "hint 36"
#else
#define ROVE_LANDING_PAD ""
#endif

#define ROVE_CLOBBERS_BASE                                                                                             \
  "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18",      \
      "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5", "v6", \
      "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22",    \
      "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "memory", "cc"

#if defined(__ARM_FEATURE_SVE)
#define ROVE_CLOBBERS_SVE \
  , "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15"
#else
#define ROVE_CLOBBERS_SVE
#endif

#ifndef ROVE_INLINE_SWITCH
#if defined(__GCC_HAVE_DWARF2_CFI_ASM) && !ROVE_FP_ENV
#define ROVE_INLINE_SWITCH 1
#else
#define ROVE_INLINE_SWITCH 0
#endif
#endif

#if ROVE_INLINE_SWITCH
// From the escapes on the "caller" is the frame in *x1, for unwinders: frame address, pc, x29 and x19 are read there
// (asm/asm.h: CFI_CALLER_IN_CONTEXT). The offsets are those of asm/aarch64/frame.h.
#define ROVE_SWITCH_MOVES             \
  "mov x3, sp\n\t"                    \
  "stp x3, x2, [x0]\n\t"              \
  "stp x29, x19, [x0, #16]\n\t"       \
  ".cfi_remember_state\n\t"           \
  ".cfi_escape 0x0f,3,0x71,0,0x06\n\t" \
  ".cfi_escape 0x10,30,2,0x71,8\n\t"  \
  ".cfi_escape 0x10,29,2,0x71,16\n\t" \
  ".cfi_escape 0x10,19,2,0x71,24\n\t" \
  "ldp x3, x2, [x1]\n\t"              \
  "ldp x29, x19, [x1, #16]\n\t"       \
  "mov sp, x3\n\t"                    \
  "br x2\n\t"                         \
  ".cfi_restore_state\n\t"            \
  "nop\n"  /* unwinders look up the address before a resume address: it must be this frame again */
#else
#define ROVE_SWITCH_MOVES "b rove_switch\n"
#endif

namespace rove::detail {

// x19 and x29 are not in the list: they are saved by hand (asm/aarch64/switch.S says why).
ROVE_ALWAYS_INLINE context* switch_registers(context* from, context* to) {
  register context* leave asm("x0") = from;
  register context* enter asm("x1") = to;
  asm volatile(
      "adr x2, 1f\n\t"
      ROVE_SWITCH_MOVES
      "1:\t" ROVE_LANDING_PAD
      : "+r"(leave), "+r"(enter)
      :
      : ROVE_CLOBBERS_BASE ROVE_CLOBBERS_SVE);
  return leave;
}

}  // namespace rove::detail

#undef ROVE_SWITCH_MOVES
#undef ROVE_CLOBBERS_BASE
#undef ROVE_CLOBBERS_SVE
#undef ROVE_LANDING_PAD
