// The source of every choice of the model checker: who runs, which message a load reads, whether a weak operation fails.
//
// Problem: a failing execution must be found, and then be had again. So nothing else in the checker is random, and a
// seed (or, in the exhaustive mode, the list of choices) determines an execution.
//
// Seeded mode. Each execution has a seed of its own, which also draws the temper of that execution: how eagerly
// threads are switched, how often old messages are read, and one of two ways to schedule:
//   walk        at each point stay with probability 1 - 1/2^k, else go to any other thread
//   priorities  run the first by priority; now and then the running thread becomes the last (PCT, Burckhardt et al.,
//               ASPLOS 2010): it stalls one thread for long, which a walk hardly ever does
// Exhaustive mode. Depth first over the tree of choices; the tree is kept finite and small by budgets for preemptions,
// old messages and spurious failures in one execution (most bugs need one or two of them).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "test/model/site.hpp"

namespace rove::model {

inline constexpr int max_threads = 8;

struct options {
  std::uint64_t seed = 1;
  std::uint64_t executions = 20000;   // at most; the exhaustive mode ends earlier when it has seen all
  unsigned max_steps = 4000;          // an execution that takes more is reported as one that does not end
  unsigned max_idle_pauses = 100;     // pauses in a row of which nothing came before that is a livelock
  bool exhaustive = false;
  unsigned preemptions = 2;           // budgets of the exhaustive mode
  unsigned stale = 3;
  unsigned spurious = 1;

  // A mutation: the operation at this site becomes relaxed, the fence there nothing (a heavy one `halved`: a full one).
  site weaken{};
  bool halved = false;
};

class strategy {
 public:
  explicit strategy(const options& o) : options_(o) {}

  void begin_seeded(std::uint64_t seed);
  void begin_exhaustive();            // the next path; the first at the first call
  bool advance();                     // exhaustive: false when no path is left
  void replay(const std::string& path);
  std::string path() const;           // "c:0,2,1": the choices of this execution

  // Which of the threads to run, an index into `candidates`; the running thread comes first if it can go on.
  unsigned thread(const std::vector<int>& candidates, bool can_stay);
  unsigned message(unsigned count);   // how many messages back from the newest one
  bool spurious_failure();
  bool stray_fence();                 // does the fence from outside come before the stores the compiler may delay?
  bool impatient();                   // may a pausing thread run although others could?
  unsigned any(unsigned count);
  void demote(int thread) { priority_[static_cast<std::size_t>(thread)] = --lowest_; }

 private:
  struct choice { unsigned taken, count; };

  std::uint64_t random();
  bool one_in(unsigned n) { return random() % n == 0; }
  unsigned branch(unsigned count);    // exhaustive
  bool spend(unsigned& budget);
  unsigned by_priority(const std::vector<int>& candidates, bool can_stay);

  const options options_;
  bool seeded_ = true;
  std::uint64_t state_ = 0;

  unsigned restlessness_ = 2;         // 1/n: leave the running thread
  unsigned staleness_ = 2;            // 1/n: read an old message; 0: never
  bool use_priorities_ = false;
  std::array<int, max_threads> priority_{};
  int lowest_ = 0;

  std::vector<choice> path_;
  std::size_t at_ = 0;
  unsigned preemptions_left_ = 0, stale_left_ = 0, spurious_left_ = 0;
};

}  // namespace rove::model
