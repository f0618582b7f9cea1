// The deterministic scheduler: one processor, one thread, and a seed that decides who goes on.
//
// Problem. A run must depend on its seed alone, so one place has to see each choice between goroutines; and it must
// come to choices that a real machine makes seldom: between any two calls of the library somebody else may run. The
// scheduler's own order (the next slot, the lanes, the direct switch) hides nearly all of them, and must not become
// slower.
//
// Invariant. While a goroutine of the run is running, every other runnable one is in `ready_`, or in a queue that
// `gather` empties into it before the next choice. All run on the thread of the run; nobody else touches ready_.
//
// Steps. 1 The runtime has no threads. The thread of the run is a machine with a processor whose `attention` is set: no
//          goroutine switches to another one, each arrives in the loop here.
//        2 detail::ending counts a run like a runtime that ends. So every call that can park comes to end_check, which
//          is a point of this run. `machine::quick` is 0, as for a trace. So each start and each wake-up takes the
//          long way, and that is a point, too.
//        3 At a point one of the runnable ones is chosen, the running one among them. If it is another one, that one is
//          in `chosen_` and the running one, once its stack is left, in ready_. A timer that is due is one more to be
//          chosen: which one of them, its heap is asked in the loop.
//        4 When nobody is runnable, in this order. f has returned: over. Somebody outside may wake one of ours (a
//          descriptor is waited for, a plain thread is inside a call): the clock goes on with the real one. Who is in
//          test::wait is woken. Timers: the clock jumps to the next. Else it is a deadlock.
//
// Rejected: a thread for each goroutine with a baton (slow, and stacks elsewhere than in earnest); points before each
// access of memory (needs a compiler's help); a choice in the queues themselves (a branch for everybody).
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include <rove/test.hpp>

#include "src/base/random.hpp"
#include "src/os/lock.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/simulation.hpp"

namespace rove::sched {

class simulator final : public simulation {
 public:
  simulator(const rove::config& c, std::uint64_t seed);
  ~simulator();
  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;

  scheduler& home() { return home_; }
  std::uint64_t seed() const { return seed_; }

  // Runs goroutines on the calling thread until `main` is over and nobody is runnable. False: a deadlock.
  bool run(const task<void>& main);
  // Ends those that are left. From now on no timer of the run is armed.
  void end();

  // test::wait, in a goroutine of the run.
  void wait_for_others();

  void point() override;
  void give_way() override;
  std::uint32_t below(std::uint32_t n) override;

  // What was decided.
  test::result result() const;

 private:
  bool loop(machine& m, const task<void>& main);
  void gather(machine& m);
  goroutine* take(std::size_t i);
  goroutine* next(machine& m);
  void dispatch(machine& m, goroutine* g);
  void record(const goroutine* g);
  void record(std::uint32_t number);

  bool somebody_outside() const;
  void walk_with_the_clock(machine& m);
  bool wake_who_waits_for_others();
  bool jump();
  void set_time(os::nanoseconds now);
  std::uint32_t timer_is_due() const { return home_.next_due() <= now_ ? 1 : 0; }
  bool fire_one();
  static void commit_point(detail::context* c);

  scheduler home_;
  const std::uint64_t seed_;
  base::random random_;
  const std::uint32_t staying_;             // at how many of eight points the running one just goes on
  machine* machine_ = nullptr;              // while goroutines run
  std::vector<goroutine*> ready_;
  goroutine* chosen_ = nullptr;

  struct quiet_waiter;
  os::lock lock_{os::rank::object};
  quiet_waiter* quiet_ = nullptr;           // who waits until the others are parked

  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // of goroutines, by id, in the order in which they came
  std::vector<std::uint32_t> schedule_;
  std::uint64_t dispatches_ = 0;
  std::uint64_t decisions_ = 0;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace rove::sched
