// The inlined half of the switch for AArch64; asm/aarch64/switch.S has the other, with the table of registers.
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

namespace rove::detail {

// x19 and x29 are not in the list: the routine saves them (asm/aarch64/switch.S says why).
ROVE_ALWAYS_INLINE context* switch_registers(context* from, context* to) {
  register context* leave asm("x0") = from;
  register context* enter asm("x1") = to;
  asm volatile(
      "adr x2, 1f\n\t"
      "b rove_switch\n"
      "1:\t" ROVE_LANDING_PAD
      : "+r"(leave), "+r"(enter)
      :
      : ROVE_CLOBBERS_BASE ROVE_CLOBBERS_SVE);
  return leave;
}

}  // namespace rove::detail

#undef ROVE_CLOBBERS_BASE
#undef ROVE_CLOBBERS_SVE
#undef ROVE_LANDING_PAD
