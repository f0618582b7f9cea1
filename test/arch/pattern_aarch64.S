// uint64_t rove_test_keep_pattern(void (*function)(void*), void* argument): fills x19-x28 and d8-d15 with patterns,
// calls function(argument) and returns which of them it did not keep, one bit each. x29 is the frame's own.

#include "asm/aarch64/frame.h"
#include "asm/asm.h"

.macro differs register, pattern, bit
  mov x9, #\pattern
  cmp \register, x9
  cset x10, ne
  orr x0, x0, x10, lsl #\bit
.endm

rove_begin rove_test_keep_pattern
  LANDING_PAD_CALL
  stp x29, x30, [sp, #-176]!
  .cfi_adjust_cfa_offset 176
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  mov x29, sp
  stp x19, x20, [sp, #16]
  stp x21, x22, [sp, #32]
  stp x23, x24, [sp, #48]
  stp x25, x26, [sp, #64]
  stp x27, x28, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
.irp n, 19,20,21,22,23,24,25,26,27,28
  .cfi_rel_offset x\n, 16 + 8 * (\n - 19)
.endr
.irp n, 19,20,21,22,23,24,25,26,27,28
  mov x\n, #0x1100 + \n
.endr
.irp n, 8,9,10,11,12,13,14,15
  mov x9, #0x2200 + \n
  fmov d\n, x9
.endr
  mov x9, x0
  mov x0, x1
  blr x9
  mov x0, xzr
.irp n, 19,20,21,22,23,24,25,26,27,28
  differs x\n, 0x1100 + \n, \n - 19
.endr
.irp n, 8,9,10,11,12,13,14,15
  fmov x11, d\n
  differs x11, 0x2200 + \n, \n + 8
.endr
  ldp x19, x20, [sp, #16]
  ldp x21, x22, [sp, #32]
  ldp x23, x24, [sp, #48]
  ldp x25, x26, [sp, #64]
  ldp x27, x28, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  ldp x29, x30, [sp], #176
  .cfi_adjust_cfa_offset -176
  .cfi_restore x29
  .cfi_restore x30
  ret
rove_end rove_test_keep_pattern

rove_notes
