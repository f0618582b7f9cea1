// A deterministic run (rove::test) as the rest of the library sees it: it is asked at scheduling points, for choices,
// and for the time. A scheduler has one or none; on the paths that are taken all the time nobody asks (simulator.hpp).
#pragma once

#include <cstdint>

#include "src/os/os.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

class simulation {
 public:
  // The running goroutine may give way here: it comes to a call that could park, started another, or woke one. On a
  // machine's own stack and inside `blocking` nothing happens. With no lock held; throws nothing.
  virtual void point() = 0;

  // Others may go on, timers fire, before the running goroutine does. Not on a machine's own stack.
  virtual void give_way() = 0;

  // A choice by the seed, below n (n > 0).
  virtual std::uint32_t below(std::uint32_t n) = 0;

  // The virtual clock. On the thread of the run.
  os::nanoseconds now() const { return now_; }

 protected:
  ~simulation() = default;

  os::nanoseconds now_ = 0;
};

// The run that a machine works for; null: none.
inline simulation* simulation_on(const machine* m) { return m && m->home ? m->home->simulated() : nullptr; }

}  // namespace rove::sched
