// What the scheduler knows of goroutines that are not of the usual priority. The essay is in priority.cpp, which is
// linked if the program names another priority.
#pragma once

#include <atomic>
#include <cstddef>

#include "src/os/os.hpp"
#include "src/sched/goroutine.hpp"

namespace rove::sched {

struct machine;

class priority_queues {
 public:
  virtual ~priority_queues() = default;

  // A goroutine with flag_frame or flag_background has become runnable. Any thread, with no lock held.
  virtual void push(goroutine* g) = 0;
  // In the machine's loop, before all others: a frame's, unless a slice is over; then perhaps one of the background.
  virtual goroutine* take_first(machine* m, bool slice_over) = 0;
  // When others have nothing for this machine: a frame's or one of the background.
  virtual goroutine* take(machine* m) = 0;
  // What the machine took from the background has left its processor.
  virtual void left_background(machine* m) = 0;
  // Under the scheduler's lock: would a machine find something here?
  virtual bool work_locked() const = 0;

  bool frames_wait() const { return frames_.load(std::memory_order_relaxed) > 0; }  // relaxed: a hint outside the lock
  std::size_t size() const {                                                        // relaxed: a hint outside the lock
    return frames_.load(std::memory_order_relaxed) + background_.load(std::memory_order_relaxed);  // relaxed: as above
  }

 protected:
  std::atomic<std::size_t> frames_{0}, background_{0};   // how many wait
};

}  // namespace rove::sched
