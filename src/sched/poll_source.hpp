// What the machine's loop knows of the poller. The loop calls it by this interface alone, so that a program that never
// waits for a descriptor links no poller and makes none.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/base/chain.hpp"
#include "src/os/os.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

class poll_source {
 public:
  // Between two looks of a processor that has work; and after this long without a look, sysmon looks.
  static constexpr os::nanoseconds look_every = 10'000, watch_every = 1'000'000;

  // Goroutines of this runtime whose descriptors have become ready are appended to `ready`, as runnable; those of other
  // runtimes are sent there. `look` never blocks; `wait` does, until there are some, `until` has come, or break_wait was
  // called. One thread waits at a time, any number may look.
  virtual void look(base::chain<goroutine>& ready) = 0;
  virtual void wait(base::chain<goroutine>& ready, os::nanoseconds until) = 0;
  virtual void break_wait() = 0;
  // The runtime is gone: descriptors that live on will find another poller.
  virtual void retire() = 0;

  // Is there a descriptor to be waited for?
  bool in_use() const { return registered_.load(std::memory_order_relaxed) > 0; }  // relaxed: see scheduler::poller_needs_keeper_locked
  bool due(os::nanoseconds now, os::nanoseconds after) const {
    return in_use() && now - looked_at_.load(std::memory_order_relaxed) >= after;  // relaxed: a hint
  }
  std::uint64_t polled() const { return polled_.load(std::memory_order_relaxed); }  // relaxed: statistics

 protected:
  ~poll_source() = default;

  std::atomic<std::int64_t> registered_{0};
  std::atomic<os::nanoseconds> looked_at_{0};   // os::never while a thread waits
  std::atomic<std::uint64_t> polled_{0};
};

}  // namespace rove::sched
