// How goroutines end before their function returns: goexit, and the end of their runtime. The essay is in ending.cpp.
#pragma once

#include "src/sched/scheduler.hpp"

namespace rove::sched {

// What unwinds a goroutine. Not a std::exception, so that an ordinary handler lets it pass.
class goroutine_end {
 public:
  explicit goroutine_end(goroutine* g) : g_(g) {}
  goroutine_end(const goroutine_end&) = delete;
  ~goroutine_end();                            // fatal unless it reached the goroutine's entry
  void reached_entry() { g_ = nullptr; }

 private:
  goroutine* g_;
};

class ender {
 public:
  static void begin(scheduler& s);
  // On a machine's own stack while the runtime ends, after a goroutine was left.
  static void after_switch(scheduler& s, machine* m);
  static void check_finished(scheduler& s);
  // Nothing moves any more: those are ended that wait for other goroutines' ends.
  static void end_the_rest(scheduler& s);

 private:
  enum class who : std::uint8_t { not_for_goroutines, all };
  static void sweep(scheduler& s, who which);
  static bool end_wait(const scheduler& s, goroutine* g, who which);
};

// The last switch of a goroutine: its stack is nobody's afterwards.
[[noreturn]] void leave_for_good(goroutine* g);

}  // namespace rove::sched
