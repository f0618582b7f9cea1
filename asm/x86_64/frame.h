// Offsets of rove::detail::context on this CPU, for assembly and C++; src/arch/switch.cpp asserts that they are right.
#ifndef ROVE_ASM_FRAME_H
#define ROVE_ASM_FRAME_H

#define ROVE_CONTEXT_SP 0
#define ROVE_CONTEXT_PC 8
#define ROVE_CONTEXT_FP 16     /* rbp */
#define ROVE_CONTEXT_BASE 24   /* rbx */
#define ROVE_CONTEXT_FP_ENV 40 /* with fp_env only: MXCSR in the first four bytes, then the x87 control word */

#endif
