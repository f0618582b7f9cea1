// uint64_t rove_test_keep_pattern(void (*function)(void*), void* argument): fills rbx, rbp and r12-r15 with patterns,
// calls function(argument) and returns which of them it did not keep, one bit each.

#include "asm/x86_64/frame.h"
#include "asm/asm.h"

.macro differs register, pattern, bit
  mov $\pattern, %rcx
  cmp %rcx, \register
  setne %cl
  movzbl %cl, %ecx
  shl $\bit, %ecx
  or %rcx, %rax
.endm

rove_begin rove_test_keep_pattern
  LANDING_PAD_CALL
  push %rbx
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbx, 0
  push %rbp
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %rbp, 0
.irp r, r12, r13, r14, r15
  push %\r
  .cfi_adjust_cfa_offset 8
  .cfi_rel_offset %\r, 0
.endr
  sub $8, %rsp
  .cfi_adjust_cfa_offset 8
  mov $0x1111111111111111, %rbx
  mov $0x2222222222222222, %rbp
  mov $0x3333333333333333, %r12
  mov $0x4444444444444444, %r13
  mov $0x5555555555555555, %r14
  mov $0x6666666666666666, %r15
  mov %rdi, %rax
  mov %rsi, %rdi
  call *%rax
  xor %eax, %eax
  differs %rbx, 0x1111111111111111, 0
  differs %rbp, 0x2222222222222222, 1
  differs %r12, 0x3333333333333333, 2
  differs %r13, 0x4444444444444444, 3
  differs %r14, 0x5555555555555555, 4
  differs %r15, 0x6666666666666666, 5
  add $8, %rsp
  .cfi_adjust_cfa_offset -8
.irp r, r15, r14, r13, r12, rbp, rbx
  pop %\r
  .cfi_adjust_cfa_offset -8
  .cfi_restore %\r
.endr
  ret
rove_end rove_test_keep_pattern

rove_notes
