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
//        push:         under the gate's lock: count it, append. Tells the program (on_work) if nobody drives and the
//                      queue was empty.
//        drive:        takes one under it, runs it until it parks, yields, moves or ends, and again.
//        waking:       its `near` is no machine's `quick`, so `ready` takes the long way, which looks at the flags and
//                      pushes. One that comes to a worker all the same (the end's sweep puts it into the global
//                      queue) is passed on by `execute`.
//        yield:        the long way, whose commit pushes.
//        back:         switch_back leaves for the drive's own stack. The commit takes the marks off and injects.
// The marks change in a commit, while nobody runs the goroutine, or by itself at its end; what passes it on orders
// them.
//
// The end. The sweep ends parked goroutines like all others; they come back to the queue here, and who stops the
// runtime drives all its hosts until all goroutines are gone. So the end needs no poll of the host's.
//
// Lifetimes. Who pushes may be overtaken: the goroutine runs and ends, and its host is destroyed, before on_work was
// called. So users_ counts, under the gate's lock, who is in between. The host's destructor waits for them, and so does
// the runtime's, since a drive, too, may be overtaken by the end that its last goroutine brings about.
// A host and its runtime may end at the same time, on two threads, and either has to take the host out of the runtime's
// list. The host becomes a user of itself, which keeps the runtime; then it takes itself out, and that is all if it was
// there. If not, the runtime's destructor has it in hand: the host is a user no more and waits until it was let go
// (home_ is null), which is the last that the runtime's end does with it. Who stops a runtime looks at its hosts one
// after the other without the lock; `visitors` keeps the one that it is at.
//
// What is counted in in_blocking_ is counted until the thread has done all that the goroutine left to it: `resume`
// takes it off when the commit is over. Until then the goroutine that ends has yet to wake who joins it, and the one
// that parks while the runtime ends has yet to be looked at; a worker that goes to rest meanwhile would take them for
// stuck.
//
// Rejected: a machine with a processor (the host would wait for one while all are busy, or take it from them); wiring
// as by lock_os_thread (one goroutine to a thread, on a machine that outlives the poll); a runtime of its own for the
// host, and goroutines that change theirs (`home` is read without a lock everywhere).
//
// Pairs. HOST-LEFT: release of residents_ when a goroutine has left, acquire by the destructor.
// The classes for all this are in host_gate.hpp, the model is test/model/host_model.cpp.
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
#include "src/sched/trace.hpp"

namespace rove {
namespace sched {

class host_thread final : public host_queue {
 public:
  host_thread(scheduler* home, std::function<void()> on_work)
      : gate_(home, static_cast<bool>(on_work)), on_work_(std::move(on_work)) {
    home->add_host(this);
  }
  ~host_thread() override;

  void push(goroutine* g) override;
  bool drive(os::nanoseconds until) override;
  void leave_runtime() override { gate_.forget_home(os::yield_thread); }
  scheduler* home() override { return gate_.home(); }

  bool poll(os::nanoseconds until);
  std::size_t runnable() const { return gate_.size(); }

 private:
  bool belongs_to_caller();
  void run(scheduler& s, os::nanoseconds until);

  host_gate<goroutine, scheduler, os::lock> gate_;
  std::atomic<std::thread::id> owner_{};       // who polled first
  const std::function<void()> on_work_;
};

host_thread::~host_thread() {
  if (!residents_.none()) base::fatal("rove: host destroyed while goroutines are on it");
  gate_.close([this](scheduler* s) { return s->remove_host(this); }, os::yield_thread);
  if (track) track->retired.store(true, std::memory_order_release);  // TRACK-RETIRED
}

void host_thread::push(goroutine* g) {
  if (!gate_.push(g)) return;
  on_work_();
  gate_.leave();
}

bool host_thread::belongs_to_caller() {
  const std::thread::id me = std::this_thread::get_id();
  std::thread::id nobody;
  return owner_.compare_exchange_strong(nobody, me, std::memory_order_relaxed) || nobody == me;  // relaxed: alone
}

bool host_thread::poll(os::nanoseconds until) {
  if (this_machine()) detail::throw_panic("rove: poll called inside a goroutine");
  if (!belongs_to_caller()) detail::throw_panic("rove: host polled by another thread");
  return drive(until);
}

bool host_thread::drive(os::nanoseconds until) {
  scheduler* const s = gate_.begin_drive();
  if (!s) return false;
  run(*s, until);
  if (gate_.end_drive()) on_work_();
  gate_.leave();
  return true;
}

void host_thread::run(scheduler& s, os::nanoseconds until) {
  machine* const before = this_machine();      // a goroutine of another runtime may be stopping this one
  machine m;
  s.attach_thread(&m);
  m.lent = true;
  {
    arch::thread_alternate_stack signal_stack;
    while (goroutine* const g = gate_.pop()) {
      s.resume(&m, g);
      if (os::now() >= until) break;
    }
  }
  s.look_for_deadlock();                       // as this runtime's machine: its on_fatal sees the report
  if (!before) os::precise_timers(false);
  rove_this_machine = before;
}

void scheduler::add_host(host_queue* q) {
  os::hold h(lock_);
  hosts_.add(q);
}

host_list<host_queue>::removed scheduler::remove_host(host_queue* q) {
  os::hold h(lock_);
  return hosts_.remove(q);
}

// ---- moving --------------------------------------------------------------------------------------------------------

namespace {

void commit_move(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  auto* const to = static_cast<host_queue*>(g->commit_argument);
  scheduler* const home = g->home();
  if (g->flags & goroutine::flag_hosted) host_queue::release(g);
  g->near = g->flags & with_priority ? goroutine::far : home->number();
  if (to) to->adopt(g);
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  home->queue_up(g);
}

detail::host_move move_to(host_queue* to) {
  goroutine* const g = current();
  host_queue* const here = g->flags & goroutine::flag_hosted ? g->host : nullptr;
  if (to == here) return {{}, here};
  if constexpr (os::debug_checks) os::check_ranks_at_park(0);
  trace_wake(g->m, g);                         // an arrow to where it goes on
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
