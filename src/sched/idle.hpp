// Who sleeps, who looks for work, who is to be woken: the idle protocol.
//
// Problem. A machine without work must sleep, or an idle program burns a CPU; a machine with too much must wake one, or
// work waits beside an idle CPU; and waking a thread costs the waker microseconds, so it must not happen for work that
// is gone before the woken thread arrives.
//
// Two kinds of work, two promises.
//   *Hard* work lies in the global queue of woken goroutines or becomes due in a heap that nobody serves: perhaps no machine runs at all,
//   so a wake-up that is lost is a hang. It is pushed under the scheduler's lock, and a machine goes to sleep under the
//   same lock: it looks at the global queue, joins the sleepers and leaves the searchers in one critical section.
//   *Soft* work lies in the queue of a processor that runs, or did not fit there (the global queue of new goroutines,
//   which that processor comes back to). It will be run there; somebody else only makes it sooner.
//   It needs no lock and no locked instruction: the producer looks at one flag.
//
// Invariant (hard). If the global queue is not empty, then a machine is searching, or no processor is idle.
//   producer:  1 lock, push, unlock.  2 if processors are idle and nobody searches: lock, take an idle processor and a
//              sleeping machine, count it as searching (so the next producer wakes nobody), unlock, wake it.
//   sleeper:   lock; global queue not empty: stay awake; else join the sleepers, stop searching; unlock; sleep.
//   searcher that found something: lock, stop searching, look at the global queue, unlock; if it was the last one and
//              anything is queued: wake the next. So one event wakes one machine, that one the next, while there is work.
// Both sides change the counts under the lock, so each push is seen by the sleeper or sees the sleeper.
//
// Invariant (soft). A producer that pushed and saw the flag down pushed before a searcher's last look, or while a
// searcher was about, or while theft was judged not worth it.
//   producer:  push; light fence; flag up? -> take it down and wake one.             (SOFT-WAKE)
//   sleeper:   flag up; heavy fence; look at the lengths once more; work: search again.  (SOFT-WAKE)
//              The last one puts the flag up under the lock, and that is all: nobody has a processor to push to, and whoever
//              gets one later takes it under the lock.
// A searcher judges what it sees by how long it would wait: goroutines that hand values to each other keep a queue from
// being empty for ever, each waiting some ten nanoseconds; taking one of them to another CPU makes both slower. What a
// processor's queue holds is worth taking when it dispatches nothing, or its length times the time of a dispatch is
// more than `worth_taking`. Queues that were busy but not worth it leave the flag down; sysmon judges them from then on.
// Whether a theft paid shows afterwards: if what was taken kept the thief busy for less than `worth_having` each, moving
// it cost more than it brought (it waited for a lock or a channel that is in use where it came from, or was done
// at once), and all thieves of the runtime hold back, longer each time, up to a millisecond. One that paid ends that.
//
// Rejected: wake on every ready as Go does (its mutex is 2.9 times slower with two processors than with one); a ticker.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "src/base/atomic.hpp"
#include "src/os/os.hpp"

namespace rove::sched {

// The counts of the protocol. Those marked so change under the scheduler's lock only.
template <class A = base::real_atomics>
class idle_counts {
 public:
  // ---- under the lock
  void sleeps(bool searched) {
    idle_.store(idle_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // relaxed: lock
    if (searched) stop_searching();
  }
  void leaves_idle() {
    idle_.store(idle_.load(std::memory_order_relaxed) - 1, std::memory_order_relaxed);  // relaxed: lock
  }
  std::uint32_t idle() const { return idle_.load(std::memory_order_relaxed); }          // relaxed: lock, or a hint

  // ---- by anybody
  std::uint32_t searching() const { return searching_.load(std::memory_order_relaxed); }  // relaxed: a hint outside the lock

  // At most `limit` search at a time.
  bool start_searching(std::uint32_t limit) {
    std::uint32_t n = searching_.load(std::memory_order_relaxed);                        // relaxed: the exchange decides
    while (n < limit)
      if (searching_.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) return true;  // relaxed: a count
    return false;
  }
  // True if it was the last one.
  bool stop_searching() { return searching_.fetch_sub(1, std::memory_order_relaxed) == 1; }   // relaxed: a count

  // ---- the flag for soft work
  bool soft_wake_wanted() const {
    A::light_fence();                                                                    // SOFT-WAKE
    return flag_.load(std::memory_order_relaxed);                                        // SOFT-WAKE
  }
  bool take_flag() {
    return flag_.load(std::memory_order_relaxed) &&                                      // relaxed: the exchange decides
           flag_.exchange(false, std::memory_order_relaxed);                             // relaxed: a hint; the lock follows
  }
  void lower_flag() { flag_.store(false, std::memory_order_relaxed); }                   // relaxed: a hint
  void raise_flag() { flag_.store(true, std::memory_order_relaxed); }                    // SOFT-WAKE, then fence
  void fence_after_raise() { A::heavy_fence(); }                                         // SOFT-WAKE

 private:
  typename A::template atomic<std::uint32_t> idle_{0};
  typename A::template atomic<std::uint32_t> searching_{0};
  typename A::template atomic<bool> flag_{false};
};

// What a searcher remembers of a victim between two looks.
struct sample {
  std::uint32_t tick = 0;
  bool busy = false;
};

enum class verdict : std::uint8_t { nothing, not_worth_it, worth_it };

inline constexpr os::nanoseconds worth_taking = 4'000;   // about what a wake-up or a theft costs all in all
inline constexpr os::nanoseconds look_again = 1'000;     // between two samples

inline constexpr os::nanoseconds worth_having = 3'000;   // run time of a stolen goroutine that pays for its way
inline constexpr os::nanoseconds least_reluctance = 8'000, most_reluctance = 1'000'000;

// How thieves hold back. Any machine may call it at any time; what gets lost between two only shifts a guess.
class reluctance {
 public:
  bool holds(os::nanoseconds now) const { return now < until_.load(std::memory_order_relaxed); }  // relaxed: a guess
  void judge(os::nanoseconds now, os::nanoseconds busy, std::size_t items) {
    os::nanoseconds pause = 0;
    if (busy < worth_having * static_cast<os::nanoseconds>(items))
      pause = std::clamp(2 * pause_.load(std::memory_order_relaxed), least_reluctance, most_reluctance);  // relaxed: a guess
    pause_.store(pause, std::memory_order_relaxed);         // relaxed: a guess
    until_.store(now + pause, std::memory_order_relaxed);   // relaxed: a guess
  }

 private:
  std::atomic<os::nanoseconds> pause_{0}, until_{0};
};

// `then` was taken `elapsed` nanoseconds ago; now the queue holds `length` and has dispatched up to `tick`.
inline verdict judge(const sample& then, std::uint32_t tick, std::uint32_t length, os::nanoseconds elapsed) {
  if (length == 0 || !then.busy) return verdict::nothing;
  const std::uint32_t dispatched = tick - then.tick;
  if (dispatched == 0) return verdict::worth_it;
  return elapsed / dispatched * length > worth_taking ? verdict::worth_it : verdict::not_worth_it;
}

}  // namespace rove::sched
