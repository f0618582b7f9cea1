// The poller of a runtime: made when a goroutine first waits for a descriptor, looked at by the machine's loop.
//
// Problem. Somebody has to wait in the system's poller, or nobody hears of what came; but a thread that waits there does
// not hear when work is made for it, and a processor that has work should not ask the system at each dispatch.
//
// Who looks, and when:
//   - a machine without work, before it looks for others' work;
//   - a processor with work, at the end of a slice of 64 dispatches, if nobody has looked for 10 us;
//   - sysmon, if nobody has looked for a millisecond: a goroutine that never parks holds up the only processor;
//   - a machine that goes to sleep sleeps in the poller instead, unless one does already. It is woken by break_wait.
// So if descriptors are registered, then a machine is awake, or one sleeps in the poller. A descriptor is registered by a
// running goroutine, whose machine has to go to sleep later; and a machine decides where to sleep under the scheduler's
// lock, where it also leaves the poller (scheduler::poller_needs_keeper_locked, scheduler::sleep). A goroutine without a
// processor (on a host, inside `blocking`) may be on a thread that does not, and wakes a machine if none is awake.
//
// A token names a record and the sequence of its use. The record is never unmapped, so a late event finds a record whose
// sequence has changed, and is dropped. A connection may outlive the runtime whose poller it is registered with: when the
// poller goes, whoever waits by it tries again, and registers with its own runtime's.
//
// Pairs. POLL-SOURCE: release of the poller after it was made, acquire by who uses it.
#include "src/sched/netpoll.hpp"

#include <cerrno>
#include <memory>
#include <new>

#include "src/sched/netpoller.hpp"
#include "src/sched/park.hpp"
#include "src/sched/pollable_pool.hpp"
#include "src/sched/scheduler.hpp"

namespace rove::sched {

netpoller* netpoller::here(int& error) {
  scheduler& home = *current()->home();
  if (poll_source* const source = home.source()) [[likely]] return static_cast<netpoller*>(source);
  error = -ENOMEM;
  auto* const made = new (std::nothrow) netpoller(home);
  if (!made) return nullptr;
  error = made->poller_.open();
  poll_source* installed = nullptr;
  if (error == 0) installed = home.install(made);
  if (installed != made) delete made;  // refused, or another goroutine was first
  return static_cast<netpoller*>(installed);
}

int netpoller::add(int descriptor, std::uint64_t token) {
  int error = poller_.add(descriptor, token);
  if (error == -EEXIST) error = poller_.arm(descriptor, token);
  if (error != 0) return error;
  registered_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a count
  if (!this_machine()->p) home_.registered_from_outside();
  return 0;
}

void netpoller::remove(int descriptor) {
  poller_.remove(descriptor);
  forget();
}

void netpoller::deliver(const os::poll_event* events, std::size_t count, base::chain<goroutine>& ready) {
  std::uint64_t woke = 0;
  for (std::size_t i = 0; i < count; ++i) {
    detail::waiter* woken[2] = {};
    const std::uint64_t token = events[i].token;
    pollable_pool::at(static_cast<std::uint32_t>(token >> 32))->edge(static_cast<std::uint32_t>(token), events[i], woken);
    for (detail::waiter* const w : woken) {
      if (!w) continue;
      ++woke;
      goroutine* const g = w->g;
      if (g->home() != &home_) {
        wake(w);
        continue;
      }
      __builtin_prefetch(g->sp);  // it runs soon, and its frame has gone cold
      g->state.store(goroutine_state::runnable, std::memory_order_release);  // STACK-LEFT
      ready.push_back(g);
    }
  }
  if (woke > 0) polled_.fetch_add(woke, std::memory_order_relaxed);  // relaxed: statistics
}

void netpoller::look(base::chain<goroutine>& ready) {
  os::poll_event events[os::poller::most_events];
  looked_at_.store(os::now(), std::memory_order_relaxed);  // relaxed: a hint
  deliver(events, poller_.look(events), ready);
}

void netpoller::wait(base::chain<goroutine>& ready, os::nanoseconds until) {
  os::poll_event events[os::poller::most_events];
  looked_at_.store(os::never, std::memory_order_relaxed);  // relaxed: a hint
  const std::size_t n = poller_.wait(events, until);
  looked_at_.store(os::now(), std::memory_order_relaxed);  // relaxed: a hint
  deliver(events, n, ready);
}

void netpoller::retire() {
  pollable_pool::forget_poller(this);
  delete this;
}

}  // namespace rove::sched
