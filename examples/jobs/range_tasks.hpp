// Tasks over ranges, as the other kind of physics engine asks for them by two callbacks: enqueue a function over a
// number of items, and finish (wait for) what was enqueued.
//
//   settings.enqueue = jobs::range_tasks::enqueue;  settings.finish = jobs::range_tasks::finish;
//   settings.user = &tasks;                         settings.workers = tasks.workers();
//
// The function is called for ranges that together are all items, each once, by several goroutines at the same time.
// Each call gets a worker's number, and two calls at the same time never get the same: engines keep scratch memory by
// it. The numbers lie in a channel; who works has taken one out.
//
// Pairs. none: the counter only hands out ranges, and the wait_group orders what was done before the return of finish.
#pragma once

#include <atomic>
#include <cstdint>

#include <rove/rove.hpp>

namespace jobs {

class range_tasks {
 public:
  using function = void(int first, int last, std::uint32_t worker, void* context);

  // `workers`: how many calls there are at a time, and so the numbers 0 to workers - 1.
  range_tasks(rove::runtime& rt, std::uint32_t workers);
  std::uint32_t workers() const { return static_cast<std::uint32_t>(free_.cap()); }

  // Starts f over [0, items), in ranges of at least `min_range` items (if there are as many). Never waits. Null: there
  // was nothing to do. `user` is the range_tasks. Each task is to be finished, from any goroutine or thread.
  static void* enqueue(function* f, int items, int min_range, void* context, void* user);
  // Waits until all calls have returned. Not in a call of the same range_tasks that was enqueued with as many others as
  // there are workers: each holds a number.
  static void finish(void* task, void* user);

 private:
  struct task;
  void work(task& t);

  rove::runtime& runtime_;
  rove::chan<std::uint32_t> free_;  // numbers of workers
};

}  // namespace jobs
