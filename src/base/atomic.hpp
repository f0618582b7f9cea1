// Atomics by policy, so that the model checker in test/model runs the very source that the library runs.
//
// A lock-free class takes a policy `A` and uses A::atomic<T>, A::light_fence(), A::heavy_fence(), A::pause(). The two
// fences are the halves of one asymmetric barrier: `light_fence` stands on the path that is taken all the time and
// costs nothing but compiler reordering; `heavy_fence` stands on the rare path and makes every thread of the process
// pass a full barrier (membarrier(2)). Together they order "store mine, then load yours" on both sides, as a
// sequentially consistent fence on each side would.
#pragma once

#include <atomic>

namespace rove::base {

// True until the system turned out to have no membarrier: then the light fence has to be a real one.
// Written once before the first goroutine exists.
extern std::atomic<bool> asymmetric_fences;

void heavy_fence_slow();  // src/os/linux/membarrier.cpp

struct real_atomics {
  template <class T>
  using atomic = std::atomic<T>;

  [[gnu::always_inline]] static inline void light_fence() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (!asymmetric_fences.load(std::memory_order_relaxed)) [[unlikely]]  // relaxed: membarrier.cpp argues the change
      full_fence();
  }
  static void heavy_fence() { heavy_fence_slow(); }

  [[gnu::always_inline]] static inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
  }

  // By hand, since ThreadSanitizer refuses std::atomic_thread_fence; it knows the orders from the operations
  // themselves.
  [[gnu::always_inline]] static inline void full_fence() {
#if defined(__x86_64__)
    asm volatile("lock orl $0, -136(%%rsp)" ::: "memory", "cc");
#elif defined(__aarch64__)
    asm volatile("dmb ish" ::: "memory");
#endif
  }
};

}  // namespace rove::base
