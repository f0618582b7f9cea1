// Hosts: goroutines that run on a thread of the program, and how they get there and back.
//
// Problem. Some calls must be made on one thread, the one that made the window. That thread belongs to the program,
// which lends it for a while in each frame. The goroutines that make these calls also wait for channels and timers, and
// everybody may wake them; and neither a worker nor the host may have to wait for the other.
//
// Invariant. A goroutine on a host (flag_hosted) is resumed by a thread that drives this host, and by nobody else.
// While it is runnable or runs it is counted in the runtime's in_blocking_. It is in residents_ until it leaves or
// ends.
//
// To the scheduler a goroutine on a host is one inside `blocking`: it runs without a processor. So what it calls takes
// the ways that exist for those (waking and starting by the global queue, timers in another's heap); it takes no
// processor from the workers and waits for none; deadlock detection and the end of the runtime know that it is there. A
// drive has a machine on its own stack that is in none of the runtime's lists, since nobody has to wake it.
//
// Steps. to the host:  switch_to leaves for the machine's own stack. The commit marks the goroutine (adopt), and
//                      pushes it.
//        push:         under lock_: count it, append. Tells the program (on_work) if nobody drives and the queue was
//                      empty.
//        drive:        takes one under lock_, runs it until it parks, yields, moves or ends, and again.
//        waking:       its `near` is no machine's `quick`, so `ready` takes the long way, which looks at the flags and
//                      pushes. One that comes to a worker all the same (the end's sweep and the poller put it into the
//                      global queue) is passed on by `execute`.
//        yield:        the long way, whose commit pushes.
//        back:         switch_back leaves for the drive's own stack. The commit takes the marks off and injects.
// The marks change in a commit, while nobody runs the goroutine, or by itself at its end; what passes it on orders
// them.
//
// The end. The sweep ends parked goroutines like all others; they come back to the queue here, and who stops the
// runtime drives all its hosts until all goroutines are gone. So the end needs no poll of the host's.
//
// Lifetimes. Who pushes may be overtaken: the goroutine runs and ends, and its host is destroyed, before on_work was
// called. So users_ counts, under the lock, who is in between. The host's destructor waits for them, and so does the
// runtime's, since a drive, too, may be overtaken by the end that its last goroutine brings about.
//
// Rejected: a machine with a processor (the host would wait for one while all are busy, or take it from them); wiring
// as by lock_os_thread (one goroutine to a thread, on a machine that outlives the poll); a runtime of its own for the
// host, and goroutines that change theirs (`home` is read without a lock everywhere).
//
// Pairs. HOST-LEFT: release of residents_ when a goroutine has left, acquire by the destructor.
#include "src/sched/host.hpp"

#include <functional>
#include <thread>
#include <utility>

#include <rove/host.hpp>

#include "src/arch/fault.hpp"
#include "src/base/check.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/ending.hpp"
#include "src/sched/park.hpp"
#include "src/sched/scheduler.hpp"

namespace rove {
namespace sched {

class host_thread final : public host_queue {
 public:
  host_thread(scheduler* home, std::function<void()> on_work) : home_(home), on_work_(std::move(on_work)) {
    home->add_host(this);
  }
  ~host_thread() override;

  void push(goroutine* g) override;
  bool drive(os::nanoseconds until) override;
  void leave_runtime() override;
  scheduler* home() override {
    os::hold h(lock_);
    return home_;
  }

  bool poll(os::nanoseconds until);
  std::size_t runnable() const { return size_.load(std::memory_order_relaxed); }  // relaxed: a number

 private:
  bool belongs_to_caller();
  goroutine* pop();
  void run(scheduler& s, os::nanoseconds until);
  void wait_for_users();

  os::lock lock_{os::rank::object};
  // ---- under lock_
  base::chain<goroutine> runnable_;
  scheduler* home_;
  unsigned users_ = 0;                         // threads that drive, or are about to call on_work
  unsigned drivers_ = 0;
  std::thread::id owner_;                      // who polled first

  std::atomic<std::size_t> size_{0};           // of runnable_
  const std::function<void()> on_work_;
};

host_thread::~host_thread() {
  if (residents_.load(std::memory_order_acquire) != 0)        // HOST-LEFT
    base::fatal("rove: host destroyed while goroutines are on it");
  wait_for_users();
  if (scheduler* const s = home()) s->remove_host(this);
}

void host_thread::wait_for_users() {
  const auto used = [this] {
    os::hold h(lock_);
    return users_ > 0;
  };
  while (used()) os::yield_thread();
}

void host_thread::leave_runtime() {
  wait_for_users();
  os::hold h(lock_);
  home_ = nullptr;
}

void host_thread::push(goroutine* g) {
  bool tell;
  {
    os::hold h(lock_);
    home_->count_blocked(1);
    tell = on_work_ && runnable_.empty() && drivers_ == 0;
    if (tell) ++users_;
    runnable_.push_back(g);
    size_.store(runnable_.count, std::memory_order_relaxed);  // relaxed: a hint
  }
  if (!tell) return;
  on_work_();
  os::hold h(lock_);
  --users_;
}

goroutine* host_thread::pop() {
  os::hold h(lock_);
  goroutine* const g = runnable_.pop_front();
  size_.store(runnable_.count, std::memory_order_relaxed);    // relaxed: a hint
  return g;
}

bool host_thread::belongs_to_caller() {
  os::hold h(lock_);
  if (owner_ == std::thread::id()) owner_ = std::this_thread::get_id();
  return owner_ == std::this_thread::get_id();
}

bool host_thread::poll(os::nanoseconds until) {
  if (this_machine()) detail::throw_panic("rove: poll called inside a goroutine");
  if (!belongs_to_caller()) detail::throw_panic("rove: host polled by another thread");
  return drive(until);
}

bool host_thread::drive(os::nanoseconds until) {
  if (size_.load(std::memory_order_relaxed) == 0) return false;  // relaxed: what comes now is for the next one
  scheduler* s;
  {
    os::hold h(lock_);
    if (!home_ || runnable_.empty()) return false;
    s = home_;
    ++users_;
    ++drivers_;
  }
  run(*s, until);
  bool tell;
  {
    os::hold h(lock_);
    tell = --drivers_ == 0 && !runnable_.empty() && on_work_;
  }
  if (tell) on_work_();
  os::hold h(lock_);
  --users_;
  return true;
}

void host_thread::run(scheduler& s, os::nanoseconds until) {
  machine* const before = this_machine();      // a goroutine of another runtime may be stopping this one
  machine m;
  s.attach_thread(&m);
  m.lent = true;
  {
    arch::thread_alternate_stack signal_stack;
    while (goroutine* const g = pop()) {
      s.resume(&m, g);
      if (os::now() >= until) break;
    }
  }
  s.look_for_deadlock();                       // as this runtime's machine: its on_fatal sees the report
  if (!before) os::precise_timers(false);
  rove_this_machine = before;
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

void scheduler::add_host(host_queue* q) {
  os::hold h(lock_);
  q->next = hosts_;
  hosts_ = q;
}

// ---- moving --------------------------------------------------------------------------------------------------------

namespace {

void commit_move(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  auto* const to = static_cast<host_queue*>(g->commit_argument);
  scheduler* const home = g->home();
  const bool was_hosted = g->flags & goroutine::flag_hosted;
  if (was_hosted) host_queue::release(g);
  g->near = g->flags & with_priority ? goroutine::far : home->number();
  if (to) to->adopt(g);
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  home->queue_up(g);
  if (was_hosted) home->count_blocked(-1);     // only now: until it was queued this alone told of it
}

detail::host_move move_to(host_queue* to) {
  goroutine* const g = current();
  host_queue* const here = g->flags & goroutine::flag_hosted ? g->host : nullptr;
  if (to == here) return {{}, here};
  if constexpr (os::debug_checks) os::check_ranks_at_park(0);
  return {depart_to(g->m, g, &g->m->g0, commit_move, to), here};
}

void check_move(const goroutine* g, host_queue* to) {
  if (!g) detail::throw_panic("rove: switch_to called outside a goroutine");
  const bool hosted = g->flags & goroutine::flag_hosted;
  if (g->blocking_depth > (hosted ? 1 : 0)) detail::throw_panic("rove: switch_to inside blocking");
  if (g->wire_depth > 0) detail::throw_panic("rove: switch_to by a goroutine that is locked to its thread");
  if (to && to->home() != g->home()) detail::throw_panic("rove: switch_to a host of another runtime");
}

}  // namespace
}  // namespace sched

namespace detail {

host_move move_to_host(sched::host_queue* to) {
  sched::check_move(sched::current(), to);
  if (ending.load(std::memory_order_relaxed) && end_check()) return {{}, to};  // relaxed: end_check looks closer
  return sched::move_to(to);
}

departure move_back(sched::host_queue* to) noexcept {
  const sched::goroutine* const g = sched::current();
  if (g->home()->is_ending() || g->wire_depth > 0) return {};
  return sched::move_to(to).away;
}

}  // namespace detail

host::host(runtime& rt, std::function<void()> on_work)
    : queue_(new sched::host_thread(rt.home(), std::move(on_work))) {}

host::~host() = default;

bool host::poll_until(std::int64_t when) {
  detail::check_not_forked();
  return static_cast<sched::host_thread*>(queue_.get())->poll(when);
}

std::size_t host::runnable() const { return static_cast<const sched::host_thread*>(queue_.get())->runnable(); }

}  // namespace rove
