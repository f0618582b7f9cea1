// Counts that one thread at a time writes without a locked instruction, and anybody may read.
//
// Births and deaths are counted apart, each by the processor where it happens; who is alive is the difference of all
// births and all deaths. Whoever adds them up while they grow must not see a death without the birth that it belongs
// to: the difference would be too small, and a runtime would pass for empty while a goroutine runs. So deaths are added
// up first. A birth is counted before the goroutine is queued, and so before its death; who sees the death sees all
// that came before it.
//
// Pairs. DEATH-COUNTED: release of a count of deaths, acquire by who adds them up: it sees their births.
#pragma once

#include <cstdint>

#include "src/base/atomic.hpp"

namespace rove::sched {

template <class A = base::real_atomics>
class basic_counter {
 public:
  // relaxed: one writer; readers add the counters of all processors up
  void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }  // relaxed: as above
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }           // relaxed: as above

 protected:
  typename A::template atomic<std::uint64_t> value_{0};
};

template <class A = base::real_atomics>
class basic_death_counter : basic_counter<A> {
 public:
  void add() { this->value_.store(this->get() + 1, std::memory_order_release); }           // DEATH-COUNTED
  std::uint64_t get_first() const { return this->value_.load(std::memory_order_acquire); }  // DEATH-COUNTED
};

using counter = basic_counter<>;
using death_counter = basic_death_counter<>;

}  // namespace rove::sched
