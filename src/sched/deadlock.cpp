// Deadlock detection, looked at when the last machine of a runtime is about to sleep.
//
// Problem. A program whose goroutines all wait for each other should say so instead of hanging; but a goroutine that a
// foreign thread, a timer or a returning system call will wake is not deadlocked, and a false report kills a program.
//
// Invariant. With every scheduler's lock held: if each has all processors idle, an empty global queue, no goroutine in
// `blocking`, none that waits for a descriptor, no armed timer, and no plain thread sleeps inside a call, then every goroutine is parked; only a thread
// that is not the library's could change that. A goroutine leaves a processor idle only after all it made runnable was
// queued, and what is queued keeps a processor from being idle or the global queue from being empty.
// The counts of `blocking` and of plain threads change before the processor is given away, or while one is held, or by
// a foreign thread, which unset `detect_deadlock` rules out and `true` takes the blame for. Who leaves a goroutine and
// holds no processor (inside `blocking`, on a host) takes it off the count of `blocking` last, when all that came of it
// is queued, and so seen with it (BLOCKED-DONE): the one who joins it, or itself.
//
// A thread that is none of ours rules a report out, and nobody tells when it has gone. One that was joined even shows
// for a moment longer. So where nothing but threads speaks against a report, sysmon looks again: when it goes to
// sleep, and three times in its sleep, the last time after 15 s.
#include "src/sched/deadlock.hpp"

#include <algorithm>
#include <vector>

#include "src/debug/fatal.hpp"
#include "src/debug/report.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/inspect.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/sysmon.hpp"
#include "src/sched/trace.hpp"

namespace rove::sched {
namespace {

os::lock registry_lock{os::rank::runtimes};
scheduler* registry = nullptr;

}  // namespace

// All runtimes of the process, locked.
class all_runtimes {
 public:
  static inline std::atomic<int> detecting{0};  // of how many deadlocks are to be reported

  static void add(scheduler* s) {
    os::hold h(registry_lock);
    s->next_ = registry;
    registry = s;
    if (s->wants_deadlocks()) detecting.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
    if (traces()) s->set_traced(true);
  }
  static void for_each(void (*f)(void*, scheduler*), void* argument) {
    os::hold h(registry_lock);
    for (scheduler* s = registry; s; s = s->next_) f(argument, s);
  }
  static void remove(scheduler* s) {
    os::hold h(registry_lock);
    if (s->wants_deadlocks()) detecting.fetch_sub(1, std::memory_order_relaxed);  // relaxed: a count
    for (scheduler** q = &registry; *q; q = &(*q)->next_)
      if (*q == s) {
        *q = s->next_;
        break;
      }
  }

  all_runtimes() {
    registry_lock.lock();
    for (scheduler* s = registry; s; s = s->next_) s->lock_.lock();
  }
  ~all_runtimes() {
    for (scheduler* s = registry; s; s = s->next_) s->lock_.unlock();
    registry_lock.unlock();
  }

  template <class F>
  bool all_of(F f) const {
    for (scheduler* s = registry; s; s = s->next_)
      if (!f(*s)) return false;
    return true;
  }
};

void register_runtime(scheduler* s) { all_runtimes::add(s); }
void unregister_runtime(scheduler* s) { all_runtimes::remove(s); }
void for_each_runtime(void (*f)(void*, scheduler*), void* argument) { all_runtimes::for_each(f, argument); }

bool scheduler::stuck_locked(bool timers_count) const {
  if (idle_.idle() != active_.load(std::memory_order_relaxed)) return false;      // relaxed: lock
  if (!global_empty_locked() || idle_.searching() != 0) return false;
  if (in_blocking_.load(std::memory_order_acquire) != 0) return false;            // BLOCKED-DONE
  if (io_waits()) return false;
  if (!timers_count) return true;
  bool timers = false;
  for_each_processor([&](processor& p) { timers = timers || p.timers.size_hint() > 0; });
  return !timers;
}

// Does a goroutine wait for a descriptor? The counts are those of processors that nobody holds.
bool scheduler::io_waits() const {
  std::uint64_t n = static_cast<std::uint64_t>(foreign_io_waits_.load(std::memory_order_relaxed));  // relaxed: see the essay
  for_each_processor([&](processor& p) { n += p.io_waits.get(); });
  return n != 0;
}

std::size_t scheduler::thread_count_locked() const {
  std::size_t n = monitor_->started() ? 1 : 0;
  for (machine* m = machines_; m; m = m->next) n += m->lent ? 0 : 1;
  return n;
}

bool scheduler::check_deadlock() {
  if (is_ending()) {
    ender::end_the_rest(*this);
    return false;
  }
  if (all_runtimes::detecting.load(std::memory_order_relaxed) == 0) return false;  // relaxed: counted before it could be stuck
  {
    all_runtimes all;
    if (plain_threads_in_call.load(std::memory_order_relaxed) != 0 || timers_outside.may_wake_somebody()) return false;  // relaxed: see the essay
    // The last one to rest looks for all: it may be of a runtime that does not ask for reports itself.
    bool wanted = false, always = false;
    all.all_of([&](scheduler& s) {
      if (s.alive() == 0) return true;
      wanted = wanted || s.wants_deadlocks();
      always = always || s.config_.detect_deadlock.value_or(false);
      return true;
    });
    if (!wanted || !all.all_of([](scheduler& s) { return s.stuck_locked(); })) return false;
    if (!always) {
      std::size_t ours = 1 + (ROVE_TSAN ? 1 : 0);  // the thread in `run`; ThreadSanitizer's own
      all.all_of([&](scheduler& s) { ours += s.thread_count_locked(); return true; });
      ours += timers_outside.thread_exists();
      ours += static_cast<std::size_t>(bystanders.load(std::memory_order_relaxed));  // relaxed: a number
      const int threads = os::count_threads();
      if (threads < 0) return false;
      if (static_cast<std::size_t>(threads) > ours) return true;
    }
  }
  // Nothing moves any more, so the goroutines can be looked at without the locks.
  debug::die(debug::deadlock_report(snapshot_goroutines()));
}

// As a machine of this runtime: its on_fatal sees the report.
bool scheduler::check_deadlock_elsewhere() {
  machine m;
  m.home = this;
  m.g = &m.g0;
  rove_this_machine = &m;
  const bool looks_stuck = check_deadlock();
  rove_this_machine = nullptr;
  return looks_stuck;
}

// Whoever ran without a processor was counted until now; nobody else may come to see that it was the last.
void scheduler::look_for_deadlock() {
  bool idle;
  {
    os::hold h(lock_);
    idle = idle_.idle() == active_.load(std::memory_order_relaxed);  // relaxed: lock
  }
  if (idle) check_deadlock();
}

}  // namespace rove::sched
