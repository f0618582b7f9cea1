// Fills the registers that a switch may lose with garbage, on each CPU: right before a switch, so that nothing survives
// it by luck.
#pragma once

#include <rove/detail/config.hpp>

namespace switch_checks {

#if defined(__x86_64__)

ROVE_ALWAYS_INLINE void scramble_registers() {
  asm volatile(
      "mov $0xdeadbeef, %%eax\n\t"
      "mov %%rax, %%rcx\n\tmov %%rax, %%rdx\n\tmov %%rax, %%rsi\n\tmov %%rax, %%rdi\n\t"
      "mov %%rax, %%r8\n\tmov %%rax, %%r9\n\tmov %%rax, %%r10\n\tmov %%rax, %%r11\n\t"
      "mov %%rax, %%r12\n\tmov %%rax, %%r13\n\tmov %%rax, %%r14\n\tmov %%rax, %%r15\n\t"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tpcmpeqd %%xmm\\n, %%xmm\\n\n\t.endr\n\t"
      ".rept 8\n\tfldpi\n\t.endr\n\t"
      ".rept 8\n\tfstp %%st(0)\n\t.endr"
#if defined(__AVX512F__)
      "\n\t.irp n, 0,1,2,3,4,5,6,7\n\tkxnorw %%k\\n, %%k\\n, %%k\\n\n\t.endr\n\t"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
      "vpternlogd $0xff, %%zmm\\n, %%zmm\\n, %%zmm\\n\n\t.endr"
#elif defined(__AVX__)
      "\n\t.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tvxorps %%ymm\\n, %%ymm\\n, %%ymm\\n\n\t.endr"
#endif
      :
      :
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
        "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
#if defined(__AVX512F__)
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
        "xmm28", "xmm29", "xmm30", "xmm31", "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
        "cc");
}

#elif defined(__aarch64__)

ROVE_ALWAYS_INLINE void scramble_registers() {
  asm volatile(
      "mov x0, #0xdead\n\t"
      ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,20,21,22,23,24,25,26,27,28,30\n\tmov x\\n, x0\n\t.endr\n\t"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
#if defined(__ARM_FEATURE_SVE)
      "dup z\\n\\().b, #-1\n\t.endr\n\t"
      ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tpfalse p\\n\\().b\n\t.endr"
#else
      "movi v\\n\\().16b, #255\n\t.endr"
#endif
      :
      :
      : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16",
        "x17", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3", "v4", "v5",
        "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
        "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31",
#if defined(__ARM_FEATURE_SVE)
        "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15",
#endif
        "cc");
}

#endif

}  // namespace switch_checks
