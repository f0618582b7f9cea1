// Leaving and taking back the processor around a blocking call.
#include "src/sched/blocking.hpp"

#include <rove/run.hpp>

#include "src/sched/deadlock.hpp"
#include "src/sched/dispatch.hpp"
#include "src/sched/park.hpp"
#include "src/sched/trace.hpp"

namespace rove {
namespace sched {
namespace {

void commit_queue_up(detail::context* c) {
  goroutine* const g = as_goroutine(c);
  scheduler* const home = g->home();
  g->flags &= ~goroutine::flag_blocking;
  g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
  home->queue_up(g);
}

}  // namespace

void enter_blocking() {
  goroutine* const g = current();
  if (!g || g->blocking_depth++ > 0) return;
  g->home()->count_blocked();
  g->flags |= goroutine::flag_blocking;
  g->state.store(goroutine_state::syscall, std::memory_order_relaxed);  // relaxed: for reports
  if (g->m->slice) [[unlikely]] trace_leave(g->m, nullptr);
  trace_instant(g->m, trace_kind::syscall, g->id.load(std::memory_order_relaxed));  // relaxed: its own
  probe_enter_blocking(g);
  g->home()->release_processor(g->m);
}

void exit_blocking() noexcept {
  goroutine* const g = current();
  if (!g || --g->blocking_depth > 0) return;
  scheduler* const home = g->home();
  machine* const m = g->m;
  g->flags &= ~goroutine::flag_blocking;
  const bool queues_up = g->flags & goroutine::flag_background;  // it has no claim to a worker
  if (m->p || (!queues_up && home->regain_processor(m))) {
    g->state.store(goroutine_state::running, std::memory_order_relaxed);  // relaxed: for reports
    trace_enter(m, g);
    home->uncount_blocked();
  } else {
    g->commit = commit_queue_up;
    detail::depart(m->leave(g, &m->g0));
  }
  probe_leave_blocking(g);
}

void count_outside_wakers(int change) {
  plain_threads_in_call.fetch_add(change, std::memory_order_relaxed);  // relaxed: see deadlock.cpp
}

}  // namespace sched

namespace detail {

void enter_blocking() { sched::enter_blocking(); }
void exit_blocking() noexcept { sched::exit_blocking(); }

}  // namespace detail
}  // namespace rove
