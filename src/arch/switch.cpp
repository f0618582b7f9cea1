// What C++ and assembly must agree on about a saved stack.
#include "src/arch/switch.hpp"

#include <cstddef>

#if defined(__x86_64__)
#include "asm/x86_64/frame.h"
#elif defined(__aarch64__)
#include "asm/aarch64/frame.h"
#endif

namespace rove::arch {

using detail::context;
static_assert(offsetof(context, sp) == ROVE_CONTEXT_SP);
static_assert(offsetof(context, pc) == ROVE_CONTEXT_PC);
static_assert(offsetof(context, fp) == ROVE_CONTEXT_FP);
static_assert(offsetof(context, base) == ROVE_CONTEXT_BASE);

#if ROVE_FP_ENV
static_assert(offsetof(context, fp_env) == ROVE_CONTEXT_FP_ENV);

fp_mode current_fp_mode() {
#if defined(__x86_64__)
  std::uint32_t mxcsr;
  std::uint16_t x87;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
  return {mxcsr | std::uint64_t{x87} << 32};
#elif defined(__aarch64__)
  std::uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  return {fpcr};
#endif
}
#endif

}  // namespace rove::arch
