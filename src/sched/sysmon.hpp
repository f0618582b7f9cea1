// The system monitor: a thread without a processor that sees what no processor can see of itself.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "src/os/os.hpp"
#include "src/sched/idle.hpp"

namespace rove::sched {

class scheduler;
struct processor;

// Ticks while a processor works, every 50 us at first; when there was nothing to do for a while every millisecond, every
// 5 ms if no processor is idle. Sleeps without a tick once all were idle for 100 ms. At each tick it
//  - gives the processors a coarse clock for their reports;
//  - wakes a machine for queued work that waits too long (idle.hpp: what thieves left because it moved fast);
//  - starts a spare processor for work that waits behind a goroutine that has run for 10 ms without parking: a
//    computation, or a system call that nobody announced with `blocking`. The spare retires when that goroutine parks;
//  - looks for ready descriptors if nobody has for a millisecond;
//  - gives memory of unused stacks back: little by little, and all of it once everybody is idle.
// While all are idle it sees that work waits all the same: the system refused a thread for it, and is asked again. And
// before it sleeps, and a few times in its sleep, it looks for a deadlock that only a foreign thread spoke against.
class system_monitor {
 public:
  explicit system_monitor(scheduler& s) : scheduler_(s) {}

  // Under the scheduler's lock: a processor was taken from the idle ones.
  void wake_locked();
  void stop();                       // joins its thread; afterwards wake_locked does nothing
  bool started() const { return started_; }

 private:
  static constexpr os::nanoseconds shortest = 50'000, longest = 5'000'000, with_idle = 1'000'000;
  static constexpr os::nanoseconds stuck_after = 10'000'000, trim_every = 100'000'000, asleep_after = 100'000'000;
  // In its sleep, for a deadlock; seldom, since an idle program should be silent.
  static constexpr os::nanoseconds looks_after[] = {100'000'000, 5'000'000'000, 10'000'000'000};
  // Memory goes back slowly while somebody works, 40 MB a second: the system takes a microsecond for a stack and
  // interrupts the processors for it. A hundred thousand at once made all else ten times slower for half a second.
  static constexpr std::size_t trimmed_busy = 1024, trimmed_idle = 4096;
  static constexpr unsigned watched = 256;

  struct watch {
    sample seen;
    os::nanoseconds since = 0;       // of this tick count
  };

  static void body(void* self);
  void loop();
  bool tick(os::nanoseconds now);    // true: there was something to do
  bool all_idle();
  bool deep_sleep();
  bool work_is_left();
  void look(os::nanoseconds now, bool& due, bool& worth, bool& queued, unsigned& stuck);
  void look_at_poller(os::nanoseconds now);
  void spare(unsigned stuck, bool queued);
  void collect_free_stacks();

  scheduler& scheduler_;
  os::thread_handle thread_;
  bool started_ = false;             // under the scheduler's lock
  bool asleep_ = false;              // under the scheduler's lock
  std::atomic<std::uint32_t> note_{0};
  std::atomic<bool> stop_{false};
  std::array<watch, watched> watches_{};
  os::nanoseconds last_tick_ = 0, last_trim_ = 0;
};

}  // namespace rove::sched
