// Telling a stack overflow from other faults.
#include "src/arch/fault.hpp"

namespace rove::arch {

void (*on_stack_overflow)(stack* s, const void* address) = nullptr;

void install_fault_handler() {
  // An error leaves faults as they were: nothing of the library depends on it.
  os::catch_faults([](const void* address) {
    stack* s = find_stack(address);
    if (s != nullptr && in_guard(s, address) && on_stack_overflow != nullptr) on_stack_overflow(s, address);
  });
}

}  // namespace rove::arch
