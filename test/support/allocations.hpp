// Counts what is taken from the heap. For one file of a program: it replaces operator new. Sanitizers bring their own,
// so nothing is counted there.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>

#include <rove/detail/config.hpp>

namespace rove_test {

inline std::atomic<long> allocations{0};

// How often `work` takes from the heap: the fewest of some runs, since a thread of the library that happens to start
// meanwhile takes some as well.
template <class Work>
long allocations_of(Work work) {
  long fewest = std::numeric_limits<long>::max();
  for (int i = 0; i < 10 && fewest != 0; ++i) {
    const long before = allocations;
    work();
    fewest = std::min(fewest, allocations - before);
  }
  return fewest;
}

}  // namespace rove_test

#if !ROVE_SANITIZED
void* operator new(std::size_t size) {
  rove_test::allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const p = std::malloc(size != 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t align) {
  rove_test::allocations.fetch_add(1, std::memory_order_relaxed);
  const auto a = static_cast<std::size_t>(align);
  if (void* const p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
#endif
