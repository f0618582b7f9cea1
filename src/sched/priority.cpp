// Priorities: frame before normal before background, and nobody for ever last.
//
// Problem. The goroutines that a frame waits for must not queue behind a thousand others, and what may take its time
// must not keep them from a worker. A goroutine cannot be interrupted, so all of this happens at dispatches. And a
// program that knows one priority only must not pay for it: not in the queues, not at the switch, not at a wake-up.
//
// Invariants. 1 While a goroutine of the frame waits, no dispatch of a processor takes another one, but for one in 64.
//             2 Of max_procs = n workers at most n - 1 take background goroutines, with one worker that one.
//             3 Nobody waits for ever: at the end of a slice (64 dispatches) a normal goroutine comes before the
//               frame's, and if none of the background was dispatched for 10 ms, one of them comes before both. Within
//               a priority the order is first in, first out (that of normal ones is told in run_queue.hpp).
//
// Steps. Frame and background goroutines are in no processor's queue but in the two here, under the scheduler's lock.
//        push:       append. Frame: `attention` of every processor is set, so that each dispatch comes to the machine's
//                    loop. If a processor is idle and nobody searches, wake one: as for the global queue.
//        the loop:   take_first before the own queue; `take` when there is nothing else, before a hunt and during it.
//                    Who finds no goroutine of the frame takes the attention of his own processor back, under the lock
//                    that push sets it under, unless somebody else wants it.
//        rest:       looks at work_locked in the critical section in which it joins the sleepers.
//        waking:     their `near` is no machine's `quick`: the long way of `ready`, which pushes. So with yield, whose
//                    long way they take as they are `special`, and with the return from `blocking`.
//        background: counted when it is taken, under the lock; no more when its machine is back in the loop, or gives
//                    its processor away for `blocking`.
// The promise of idle.hpp for hard work holds for both queues: a push sees the sleeper, or the sleeper the push.
// What invariant 2 keeps back is an event of this kind, too, when one of those that run has left its processor. Its
// machine looks here soon, but may have other goroutines before, each of which may take long. So it becomes a searcher:
// as such it looks again, under the lock, when it has found something, and wakes the next. If it gives the processor
// away (the goroutine is inside `blocking`, or wired), hand_over asks work_locked, and who gets it is a searcher.
// A wired goroutine is taken by one machine and run by its own, with the processor: `on_background` goes with the
// grant, since its own machine may have yet to take back that of the last time.
// Who becomes runnable by a machine without a processor (it slept in the poller) is queued as its flags say, too.
//
// The price: the lock at each dispatch of such a goroutine, a way over the loop for the others while the frame has
// some.
//
// The model is test/model/priority_model.cpp.
//
// Rejected: a lane more in each queue (a branch at each take, and thieves that have to judge them); preemption (there
// is none); shares by weights (the bound is what a host can plan with).
#include "src/sched/priority.hpp"

#include <algorithm>

#include <rove/go.hpp>

#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"

namespace rove {
namespace sched {
namespace {

constexpr os::nanoseconds longest_wait = 10'000'000;     // of the background, for one dispatch

}  // namespace

class priority_scheduler final : public priority_queues {
 public:
  explicit priority_scheduler(scheduler& s) : home_(s) {}

  void push(goroutine* g) override;
  goroutine* take_first(machine* m, bool slice_over) override;
  goroutine* take(machine* m) override;
  void left_background(machine* m) override;
  bool work_locked() const override {
    return !frame_queue_.empty() || (!background_queue_.empty() && may_run_locked());
  }

 private:
  bool may_run_locked() const {
    return running_ < std::max(home_.max_procs(), 2u) - 1;  // spares are for others
  }
  goroutine* pop_locked(machine* m, bool background);
  void lower_attention(machine* m);
  void publish_locked() {
    frames_.store(frame_queue_.count, std::memory_order_relaxed);            // relaxed: exact under the lock
    background_.store(background_queue_.count, std::memory_order_relaxed);   // relaxed: exact under the lock
  }

  scheduler& home_;
  // ---- under the scheduler's lock
  base::chain<goroutine> frame_queue_, background_queue_;
  unsigned running_ = 0;                                  // machines that run one of the background
  std::atomic<os::nanoseconds> background_at_{0};         // relaxed: a clock; when one of the background was dispatched
};

void priority_scheduler::push(goroutine* g) {
  const bool frame = g->flags & goroutine::flag_frame;
  bool wake;
  {
    os::hold h(home_.lock_);
    if (!frame && background_queue_.empty())
      background_at_.store(os::now(), std::memory_order_relaxed);            // relaxed: a clock
    (frame ? frame_queue_ : background_queue_).push_back(g);
    publish_locked();
    if (frame)
      home_.for_each_processor([](processor& p) {
        p.attention.store(true, std::memory_order_relaxed);                  // relaxed: seen a dispatch later
      });
    wake = home_.idle_.idle() > 0 && home_.idle_.searching() == 0 && work_locked();
  }
  if (wake) home_.wake_one();
}

goroutine* priority_scheduler::pop_locked(machine* m, bool background) {
  goroutine* const g = (background ? background_queue_ : frame_queue_).pop_front();
  publish_locked();
  if (!g) return nullptr;
  // Each dispatch counts once, or slices would not end: yield has counted the one before, parking has not.
  processor& p = *m->p;
  const std::uint32_t tick = p.tick.load(std::memory_order_relaxed);         // relaxed: its holder's own
  p.priority_tick = tick == p.priority_tick ? p.count_dispatch() : tick;
  if (!background) return g;
  m->on_background = true;
  ++running_;
  background_at_.store(os::now(), std::memory_order_relaxed);                // relaxed: a clock
  return g;
}

void priority_scheduler::lower_attention(machine* m) {
  if (!m->p->attention.load(std::memory_order_relaxed) || m->poll_until != 0) return;  // relaxed: the lock decides
  os::hold h(home_.lock_);
  if (frame_queue_.empty() && !home_.is_watched())
    m->p->attention.store(false, std::memory_order_relaxed);                 // relaxed: its holder's own
}

goroutine* priority_scheduler::take_first(machine* m, bool slice_over) {
  if (slice_over) {
    const auto due = background_at_.load(std::memory_order_relaxed) + longest_wait;  // relaxed: a clock
    if (background_.load(std::memory_order_relaxed) == 0 || os::now() < due) return nullptr;  // relaxed: a hint
    os::hold h(home_.lock_);
    return may_run_locked() ? pop_locked(m, true) : nullptr;
  }
  if (!frames_wait()) {
    lower_attention(m);
    return nullptr;
  }
  os::hold h(home_.lock_);
  return pop_locked(m, false);
}

goroutine* priority_scheduler::take(machine* m) {
  if (size() == 0) return nullptr;
  os::hold h(home_.lock_);
  if (!frame_queue_.empty()) return pop_locked(m, false);
  return may_run_locked() ? pop_locked(m, true) : nullptr;
}

void priority_scheduler::left_background(machine* m) {
  m->on_background = false;
  os::hold h(home_.lock_);
  --running_;
  if (m->p && !m->wired && work_locked() && home_.idle_.idle() > 0)
    m->spinning = home_.idle_.start_searching(1);
}

// Made by the first goroutine that has another priority; goes with the runtime.
void scheduler::use_priorities() {
  if (priorities()) return;
  auto made = std::make_unique<priority_scheduler>(*this);
  priority_queues* none = nullptr;
  if (priorities_.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel)) made.release();  // PRIORITIES
}

namespace {

void make_special(goroutine* g, std::uint32_t flag) {
  scheduler* const home = g->home();
  if (home->simulated()) return;       // there the seed decides
  home->use_priorities();
  g->flags |= flag;
  g->near = goroutine::far;
}

}  // namespace
}  // namespace sched

namespace detail {

const priority_class frame_class{[](sched::goroutine* g) { sched::make_special(g, sched::goroutine::flag_frame); }};
const priority_class background_class{
    [](sched::goroutine* g) { sched::make_special(g, sched::goroutine::flag_background); }};

}  // namespace detail
}  // namespace rove
