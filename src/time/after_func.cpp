// A function that is called at a time, in a goroutine of its own.
//
// The record is counted: by the timer handle, by the alarm while it is pending (so dropping the handle does not stop
// it), and by each goroutine that runs the function. The alarm stands in whatever heap it was armed on; the goroutine
// is started in the runtime that asked for it. When that one is over nothing is started any more, and the alarm's count
// goes as soon as somebody looks: at its time, or when the heap is taken down.
//
// Pairs. FUNC-HANDLES: release and acquire of the count: who frees the record sees what all others did.
#include <rove/time.hpp>

#include "src/time/alarm.hpp"

namespace rove::detail {

struct func_timer : time::alarm {
  func_timer(sched::home_handle h, void* at, std::unique_ptr<action> f)
      : time::alarm(ring), home(std::move(h)), started_at(at), function(std::move(f)) {}

  static void ring(sched::timer* t);
  static void run(void* self, bool run);

  os::lock lock{os::rank::object};
  std::atomic<std::uint32_t> count{1};
  const sched::home_handle home;
  void* const started_at;
  const std::unique_ptr<action> function;
};

void func_timer::run(void* self, bool run) {
  struct guard {
    func_timer* t;
    ~guard() { release_func_timer(t); }
  } g{static_cast<func_timer*>(self)};
  if (run) g.t->function->call();
}

void func_timer::ring(sched::timer* t) {
  auto* const self = static_cast<func_timer*>(t);
  const bool over = sched::home_is_over(self->home.get());
  bool start;
  {
    os::hold h(self->lock);
    const bool arrived = self->arrived(sched::now());
    if (!arrived && self->is_set() && !over) return self->resume();
    if (!arrived) self->clear();
    start = arrived;
  }
  // The alarm's count is the goroutine's now.
  if (!start || !sched::start_in(self->home.get(), self->started_at, run, self)) release_func_timer(self);
}

func_timer* make_func_timer(std::int64_t when, std::unique_ptr<action> f) {
  sched::home_handle home(sched::current_home());
  if (!home.get()) throw_panic("rove: no runtime on this thread");
  auto* const t = new func_timer(std::move(home), __builtin_return_address(0), std::move(f));
  set_func_timer(t, when);
  return t;
}

bool set_func_timer(func_timer* t, std::int64_t when) {
  bool gone = false, was_set;
  {
    os::hold h(t->lock);
    was_set = t->is_set();
    const bool was_pending = t->pending();
    t->set(when);
    if (t->pending() && !was_pending) t->count.fetch_add(1, std::memory_order_relaxed);  // FUNC-HANDLES: it has one
    gone = was_pending && !t->pending();
  }
  if (gone) release_func_timer(t);
  return was_set;
}

void release_func_timer(func_timer* t) noexcept {
  if (t->count.fetch_sub(1, std::memory_order_acq_rel) == 1) delete t;  // FUNC-HANDLES
}

}  // namespace rove::detail
