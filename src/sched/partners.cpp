// What the checks of a build with debug_checks ask the scheduler: who is left in the process, and whether who is woken
// waits.
//
// Pairs. RUNTIME-OVER: release when a runtime's last goroutine is gone, acquire by who finds that none goes on: the
// notes that its goroutines left are all seen.
#include "src/base/check.hpp"
#include "src/sched/deadlock.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/park.hpp"
#include "src/sched/timers.hpp"

namespace rove::sched {
namespace {

std::atomic<int> runtimes_going_on{0};

}  // namespace

void note_runtime_begins() { runtimes_going_on.fetch_add(1, std::memory_order_relaxed); }  // relaxed: a count
void note_runtime_over() { runtimes_going_on.fetch_sub(1, std::memory_order_release); }    // RUNTIME-OVER

bool is_plain_thread() { return this_machine() == nullptr; }

bool anybody_left() {
  return runtimes_going_on.load(std::memory_order_acquire) != 0 ||      // RUNTIME-OVER
         plain_threads_in_call.load(std::memory_order_relaxed) != 0 ||  // relaxed: as in deadlock.cpp
         timers_outside.may_wake_somebody();
}

void check_waits(const goroutine* g) {
  // relaxed: whoever wakes it has taken it off its queue under a lock; nobody else may change it meanwhile
  const goroutine_state s = g->state.load(std::memory_order_relaxed);
  if (s == goroutine_state::waiting || s == goroutine_state::leaving) return;
  const bool over = s == goroutine_state::dead;
  base::fatal(over ? "rove: woke a goroutine that has ended" : "rove: woke a goroutine that does not wait");
}

}  // namespace rove::sched
