// Stack overflow: a fault in a stack's guard page becomes a report.
#pragma once

#include "src/arch/stack.hpp"
#include "src/os/os.hpp"

namespace rove::arch {

// What to do with it: called in a signal handler, on the thread's alternate stack, with the stack that is full and the
// address that was touched. If it returns (or is null) the fault goes to the handler that was there before ours. To be
// set before install_fault_handler.
extern void (*on_stack_overflow)(stack* s, const void* address);

// For the whole process; the first call alone counts. Faults that are not in a guard go to the handler that was there
// before.
void install_fault_handler();

// For each thread that runs goroutines, on the thread's own stack: without one the kernel has no room to call the
// handler on, and an overflow is an ordinary crash.
using thread_alternate_stack = os::alternate_stack;

}  // namespace rove::arch
