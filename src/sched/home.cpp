// Starting a goroutine later, in a runtime that may be gone by then.
//
// A callback (of a timer, of a context that is cancelled) runs where it happens: on a machine's own stack, on the timer
// thread, on whatever thread cancels. It must not run the program's code there, so it starts a goroutine in the
// runtime in which it was asked for. `home_ref` is a counted reference to that runtime. The scheduler takes itself out
// of it, under its lock, when it has ended and before it goes away; so who holds the lock and finds the scheduler may
// use it.
//
// Pairs. HOME-HANDLES: release and acquire of the count: who frees it sees what all others did.
#include <new>

#include "src/base/check.hpp"
#include "src/sched/machine.hpp"
#include "src/sched/scheduler.hpp"
#include "src/sched/timers.hpp"

namespace rove::sched {

class home_ref {
 public:
  explicit home_ref(scheduler* s) : scheduler_(s) {}

  void retain() { count_.fetch_add(1, std::memory_order_relaxed); }     // HOME-HANDLES: relaxed, the giver holds one
  void release() {
    if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;  // HOME-HANDLES
  }
  void leave() {
    os::hold h(lock_);
    scheduler_ = nullptr;
  }
  bool over() {
    os::hold h(lock_);
    return !scheduler_ || scheduler_->is_ending();
  }
  bool start(void* started_at, void (*body)(void*, bool), void* argument) {
    os::hold h(lock_);
    return scheduler_ && scheduler_->start_later_work(started_at, body, argument);
  }

 private:
  os::lock lock_{os::rank::object};
  scheduler* scheduler_;
  std::atomic<std::uint32_t> count_{1};
};

home_ref* make_home_ref(scheduler* s) { return new home_ref(s); }

void leave_home_ref(home_ref* h) {
  h->leave();
  h->release();
}

home_ref* current_home() {
  const machine* const m = this_machine();
  if (!m) return nullptr;
  home_ref* const h = m->home->ref();
  h->retain();
  return h;
}

void release_home(home_ref* h) { h->release(); }

bool home_is_over(home_ref* h) { return h->over(); }

bool start_in(home_ref* h, void* started_at, void (*body)(void* argument, bool run), void* argument) {
  return h->start(started_at, body, argument);
}

// Counted under lock_ with a look at the end: either the end waits for it, or it is not started.
bool scheduler::start_later_work(void* started_at, void (*body)(void*, bool), void* argument) {
  goroutine* const g = new_goroutine();
  if (!g) base::fatal("rove: no memory for a goroutine's stack");
  g->name = nullptr;
  g->started_at = started_at;
  g->closure = ::new (static_cast<void*>(g->small_closure)) later_work{body, argument};
  g->body = [](void* closure, bool run) {
    const later_work work = *static_cast<later_work*>(closure);
    work.body(work.argument, run);
  };
  g->task = nullptr;
  if (start_from_outside(g, mode_)) return true;  // the callback's thread is nobody's in particular
  recycle(g);
  return false;
}

}  // namespace rove::sched
