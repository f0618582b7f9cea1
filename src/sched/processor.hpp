// The processor: the right to run goroutines, with what its holder uses alone.
#pragma once

#include <atomic>
#include <cstdint>

#include "src/base/chain.hpp"
#include "src/os/os.hpp"
#include "src/sched/counter.hpp"
#include "src/sched/goroutine.hpp"
#include "src/sched/run_queue.hpp"
#include "src/sched/timers.hpp"

namespace rove::sched {

struct alignas(64) processor {
  processor(scheduler& s, unsigned number, std::uint8_t size_class) : home(&s), id(number), stack_class(size_class) {}

  // Every 64th dispatch goes through the machine's loop, which looks at timers, the global queue and the old ones.
  static constexpr std::uint32_t slice = 64;
  static constexpr std::size_t most_stacks = 128;   // kept by a processor; the rest goes to the pool

  // ---- the holder's alone
  scheduler* const home;
  const unsigned id;
  const std::uint8_t stack_class;
  base::chain<goroutine> descriptors;       // of dead goroutines, hottest first
  arch::stack* stacks = nullptr;            // free ones of the runtime's size, hottest first
  std::size_t stack_count = 0;
  bool stock_promised = false;              // most_stacks were promised to it
  std::uint64_t next_id = 0, last_id = 0;   // ids in stock
  goroutine* handed = nullptr;              // to be run by the machine's loop before all else
  std::uint32_t io_tick = 0, io_streak = 0; // calls that found their descriptor ready, since that dispatch
  std::uint32_t priority_tick = 0;          // at the last dispatch of one that has a priority
  os::nanoseconds looked_at = 0;            // the clock at the last slice's end
  os::nanoseconds oldest_at = 0;            // when the oldest of the new had its turn
  struct trace_track_base* track = nullptr;  // where a trace notes what it did; set once
  timer_heap timers;                        // others may arm, disarm and run too: it has its lock

  // ---- written by the holder, sampled by others
  std::atomic<std::uint32_t> tick{0};       // dispatches
  counter spawned, steals, parks;
  death_counter died;
  counter io_waits;                         // begun here less ended here: of all processors, those that wait now

  // ---- written by others
  alignas(64) std::atomic<bool> attention{false};        // every dispatch goes through the machine's loop
  std::atomic<os::nanoseconds> coarse_now{0};            // sysmon's clock, for reports

  // ---- under the scheduler's lock
  std::atomic<bool> held{false};                         // by a machine, or on its way to one; sysmon samples it
  processor* next_idle = nullptr;
  bool active = true;                                    // false: retired, waits to be needed again

  run_queue<goroutine> queue;

  // Whose turn it is at a slice's end; run_queue.hpp says why.
  decltype(queue)::turn next_turn(os::nanoseconds now) {
    using turn = decltype(queue)::turn;
    looked_at = now;
    const bool newest = tick.load(std::memory_order_relaxed) % (4 * slice) == 0;  // relaxed: the holder's own
    count_dispatch();  // the slice ends once
    if (now - oldest_at < 1'000'000) return newest ? turn::newest : turn::woken;
    oldest_at = now;
    return turn::oldest;
  }

  // relaxed: the holder alone writes it
  std::uint32_t count_dispatch() {
    const std::uint32_t t = tick.load(std::memory_order_relaxed) + 1;  // relaxed: the holder's own
    tick.store(t, std::memory_order_relaxed);  // relaxed: sampled by thieves and sysmon as a hint
    return t;
  }
  bool slice_over() const { return tick.load(std::memory_order_relaxed) % slice == 0; }  // relaxed: the holder's own
};

void return_stock(processor& p);   // birth.cpp

}  // namespace rove::sched
