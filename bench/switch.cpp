// The raw switch between two stacks against the least that any switch can do.
//
// Main and a fiber bounce in a tight loop; an operation is one switch, one way. Both sides switch at places of their
// own: with one place for both, the branch predictor would flatter the switch.
#include <cstddef>

#include "bench/harness.hpp"
#include "src/arch/switch.hpp"

namespace {

constexpr std::int64_t switch_count = 40'000'000;

struct alignas(64) fiber_stack {
  std::byte bytes[64 * 1024];
  void* top() { return bytes + sizeof(bytes); }
};

fiber_stack stack;

// --- rove's own; where a sanitizer is told of each switch, its time says nothing ---

#if !ROVE_SANITIZED

struct rove_pair {
  rove::detail::context main;
  rove::detail::context fiber;
  std::int64_t arrivals = 0;
};

void rove_fiber(void* arg, rove::detail::context*) {
  auto& pair = *static_cast<rove_pair*>(arg);
  for (;;) {
    ++pair.arrivals;
    rove::detail::switch_stacks(&pair.fiber, &pair.main);
  }
}

void raw_switch(benchmark::State& state) {
  const std::int64_t n = bench::scaled(switch_count, 2) / 2;
  bench::on_threads(state, 2 * n, [n] {
    rove_pair pair;
    rove::arch::make_first_frame(pair.fiber, stack.top(), rove_fiber, &pair);
    rove::arch::set_fp_mode(pair.fiber, rove::arch::current_fp_mode());
    for (std::int64_t i = 0; i < n; ++i)
      rove::detail::switch_stacks(&pair.main, &pair.fiber);
    bench::check(pair.arrivals == n, "raw_switch");
  });
}
BENCH_THREADS(raw_switch);

#endif

// --- the floor: all inline, no routine, only the program counter, the stack pointer and the frame pointer move ---

#if defined(__x86_64__)

struct bare_context {
  void* sp = nullptr;
  void* pc = nullptr;
  void* fp = nullptr;
};

[[gnu::always_inline]] inline void bare_switch(bare_context* from, bare_context* to) {
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "movq %%rsp, 0(%0)\n\t"
      "movq %%rax, 8(%0)\n\t"
      "movq %%rbp, 16(%0)\n\t"
      "movq 16(%1), %%rbp\n\t"
      "movq 0(%1), %%rsp\n\t"
      "jmp *8(%1)\n"
      "1:"
      : "+D"(from), "+S"(to)
      :
      : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",
        "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
        "memory", "cc");
}

std::int64_t bare_arrivals = 0;

// Entered by the first switch, whose two operands are in the registers of a call's first two arguments.
[[noreturn]] void bare_fiber(bare_context* main, bare_context* fiber) {
  for (;;) {
    ++bare_arrivals;
    bare_switch(fiber, main);
  }
}

void raw_switch_floor(benchmark::State& state) {
  const std::int64_t n = bench::scaled(switch_count, 2) / 2;
  bench::on_threads(state, 2 * n, [n] {
    bare_context main;
    bare_context fiber;
    fiber.sp = static_cast<std::byte*>(stack.top()) - 8;  // as just after a call
    fiber.pc = reinterpret_cast<void*>(bare_fiber);
    bare_arrivals = 0;
    for (std::int64_t i = 0; i < n; ++i)
      bare_switch(&main, &fiber);
    bench::check(bare_arrivals == n, "raw_switch_floor");
  });
}
BENCH_THREADS(raw_switch_floor);

#endif

// --- the yardstick: what one locked instruction costs on this machine ---

void cmpxchg(benchmark::State& state) {
  const std::int64_t n = bench::scaled(20'000'000);
  bench::on_threads(state, n, [n] {
    std::int64_t word = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      std::int64_t expected = i;
      __atomic_compare_exchange_n(&word, &expected, i + 1, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
    }
    bench::check(word == n, "cmpxchg");
  });
}
BENCH_THREADS(cmpxchg);

}  // namespace
