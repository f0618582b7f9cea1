// The hooks of rove/hooks.hpp, where threads are started and memory is mapped.
//
// Pairs. HOOK: release when a hook is set, with what it is given; acquire by who calls it.
#pragma once

#include <atomic>

#include <rove/hooks.hpp>

namespace rove::os {

template <class F>
struct hook {
  std::atomic<F> function{nullptr};
  std::atomic<void*> data{nullptr};

  void set(F f, void* d) {
    data.store(d, std::memory_order_relaxed);       // relaxed: the next line
    function.store(f, std::memory_order_release);   // HOOK
  }
  F get(void*& d) const {
    const F f = function.load(std::memory_order_acquire);  // HOOK
    d = data.load(std::memory_order_relaxed);              // relaxed: after HOOK
    return f;
  }
};

extern constinit hook<thread_hook> on_thread;    // thread.cpp
extern constinit hook<memory_hook> on_memory;    // memory.cpp

}  // namespace rove::os
