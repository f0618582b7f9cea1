// Where those wait who wait for a small object: a table of queues by address. Its essay is in src/sync/parking.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include <rove/detail/config.hpp>
#include <rove/detail/waiter.hpp>

namespace rove::base {
extern std::atomic<bool> asymmetric_fences;
}

namespace rove::detail {

struct alignas(64) parking_word {
  std::atomic<std::uint32_t> attention{0};   // 1: whoever releases an object of this bucket has to look at its queue
};

inline constexpr std::size_t parking_buckets = 256;
extern parking_word parking_words[parking_buckets];

inline std::size_t parking_bucket_of(const void* object) {
  return (reinterpret_cast<std::uintptr_t>(object) * 0x9e3779b97f4a7c15u) >> 56;
}

// To be asked right after the releasing store; orders it before the look.
ROVE_ALWAYS_INLINE bool parking_attention(const void* object) {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  if (!base::asymmetric_fences.load(std::memory_order_relaxed)) [[unlikely]] {  // relaxed: see base/atomic.hpp
#if defined(__x86_64__)
    asm volatile("lock orl $0, -136(%%rsp)" ::: "memory", "cc");
#elif defined(__aarch64__)
    asm volatile("dmb ish" ::: "memory");
#endif
  }
  return parking_words[parking_bucket_of(object)].attention.load(std::memory_order_relaxed) != 0;  // PARK-ATTENTION
}

// A waiter that has something to do between queueing and parking, without the queue's lock: it gives back a mutex, or
// asks somebody to cancel it. Who takes it off its queue wakes it only if it has parked; else it will see the result.
struct early_waiter : waiter {
  bool parked = false;                           // under the queue's lock
};

}  // namespace rove::detail
